// What a screen reader says by itself: one thing after the other, no progress ticks.
let waiting = [];
let timer = 0;

function say() {
  const region = document.getElementById("live");
  // Of many at once the last ones count; the page shows the rest.
  region.textContent = waiting.slice(-3).join(" ");
  waiting = [];
  timer = 0;
}

export function announce(text) {
  if (!text) return;
  waiting.push(/[.!?…]$/.test(text) ? text : `${text}.`);
  // A moment, so that what belongs together is said together.
  timer ||= setTimeout(say, 150);
}

// For what happens often: counted, and said every few seconds.
export function counter(tell, every = 3000) {
  let counts = {};
  let pending = 0;
  return (what) => {
    counts[what] = (counts[what] || 0) + 1;
    pending ||= setTimeout(() => {
      announce(tell(counts));
      counts = {};
      pending = 0;
    }, every);
  };
}
