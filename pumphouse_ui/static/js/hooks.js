// What views need again and again: something read, a title, a width.
import { useCallback, useEffect, useRef, useState } from "../vendor/vendor.js";

// {data, error, loading, reload}: what `load(signal)` gave. The old data stays while it is read again.
export function useLoad(load, deps) {
  const [state, set] = useState({ data: null, error: null, loading: true, deps: null });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  useEffect(() => {
    const stop = new AbortController();
    set((s) => ({ ...s, loading: true }));
    Promise.resolve(load(stop.signal)).then(
      (data) => !stop.signal.aborted && set({ data, error: null, loading: false }),
      (error) => !stop.signal.aborted && set((s) => ({ ...s, error, loading: false })),
    );
    return () => stop.abort();
  }, [...deps, turn]);
  return { ...state, reload };
}

export function useTitle(text) {
  useEffect(() => {
    document.title = text ? `${text} – Pumphouse` : "Pumphouse";
  }, [text]);
}

function useMedia(query) {
  const [matches, set] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => set(media.matches);
    changed();
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, [query]);
  return matches;
}

export const useWide = () => useMedia("(min-width: 60rem)");

// A text that follows what is typed, once the typing pauses.
export function useSettled(text, wait = 200) {
  const [settled, set] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => set(text), wait);
    return () => clearTimeout(timer);
  }, [text, wait]);
  return settled;
}

export function useEvery(milliseconds, work, on = true) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    if (!on) return undefined;
    const timer = setInterval(() => latest.current(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, on]);
}

// The heading of a new view takes the focus, so that keys and screen readers begin there.
export function useHeading(key) {
  const heading = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current && document.activeElement === document.body && history.length <= 1) {
      first.current = false;
      return;
    }
    first.current = false;
    heading.current?.focus({ preventScroll: true });
  }, [key]);
  return heading;
}
