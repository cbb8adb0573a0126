// The one place that says what the page takes from others: all of it ends in vendor.js.
import { h, render, Component, Fragment, createRef } from "preact";
import htm from "htm";
import dagre from "@dagrejs/dagre";

export { h, render, Component, Fragment, createRef, dagre };
export { useState, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useReducer, useId } from "preact/hooks";
export const html = htm.bind(h);
