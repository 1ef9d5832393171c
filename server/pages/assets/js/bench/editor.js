// The editor: CodeMirror with the verdicts in its gutter. It lives in a shadow root, where its styles are constructed
// sheets: the policy of pages forbids style elements.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, RangeSet, StateEffect, StateField, Transaction } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, gutter, GutterMarker, highlightActiveLineGutter, keymap, lineNumbers, ViewPlugin, WidgetType } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const setVerdicts = StateEffect.define();
const setChosen = StateEffect.define();

// The same rule as server/pages/source.py: which steps a line sets.
const ASSIGNED = /^([\w\s,.()[\]:*+-]*?)(?:\*\*|\/\/|[-+*/@])?=(?!=)/;
const IN_PLACE = /^\s*d([^\W\d]\w*)\.\w+_\(/;
const ANSWER = /(?:^|,)[\s(]*d([^\W\d]\w*)/g;

export function settersIn(line) {
  const found = [];
  for (const statement of line.split("#")[0].split(";")) {
    const inPlace = IN_PLACE.exec(statement);
    if (inPlace) found.push(inPlace[1]);
    for (let rest = statement, assigned; (assigned = ASSIGNED.exec(rest)); rest = rest.slice(assigned[0].length)) {
      const left = assigned[1].replace(/\[[^\]]*\]/g, "");
      if (left.split("(").length === left.split(")").length) for (const match of left.matchAll(ANSWER)) found.push(match[1]);
    }
  }
  return found;
}

function linesByStep(doc, steps) {
  const lines = new Map();
  let number = 0;
  for (const line of doc.iterLines()) {
    number += 1;
    for (const step of settersIn(line)) if (steps.has(step)) lines.set(step, number);
  }
  return lines;
}

const WORDS = { exact: "exact", approximate: "approximate", rounding: "rounding", own: "own mistake", inherited: "inherited", unknown: "wrong here or above", missing: "not there" };

class Mark extends GutterMarker {
  constructor(kind) { super(); this.kind = kind; }
  eq(other) { return other.kind === this.kind; }
  toDOM() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", `mark v-${this.kind}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", WORDS[this.kind] ?? this.kind);
    // A use element would look for its symbol in the shadow root.
    for (const part of document.getElementById(`m-${this.kind}`)?.children ?? []) svg.append(part.cloneNode(true));
    return svg;
  }
}

class Says extends WidgetType {
  constructor(text) { super(); this.text = text; }
  eq(other) { return other.text === this.text; }
  toDOM() {
    const says = document.createElement("div");
    says.className = "says";
    says.setAttribute("role", "note");
    says.textContent = this.text;
    return says;
  }
}

const none = { marks: {}, error: null };

function build(state, verdicts, chosen, steps) {
  const lines = linesByStep(state.doc, steps);
  const marks = [], styles = [];
  for (const [step, number] of lines) {
    const line = state.doc.line(number);
    const kind = verdicts.marks[step];
    if (kind && kind !== "missing") marks.push(new Mark(kind).range(line.from));
    const classes = [kind === "own" ? "is-own" : "", step === chosen ? "is-chosen" : ""].filter(Boolean).join(" ");
    if (classes) styles.push(Decoration.line({ class: classes }).range(line.from));
  }
  const { error } = verdicts;
  if (error?.line && error.line <= state.doc.lines) {
    const line = state.doc.line(error.line);
    styles.push(Decoration.line({ class: "is-own" }).range(line.from));
    const start = line.from + line.text.search(/\S|$/);
    if (line.to > start) styles.push(Decoration.mark({ class: "err" }).range(start, line.to));
    styles.push(Decoration.widget({ widget: new Says(error.text), block: true, side: 1 }).range(line.to));
  }
  if (error?.line && error.line <= state.doc.lines) {
    const { from } = state.doc.line(error.line);
    if (!marks.some((mark) => mark.from === from)) marks.push(new Mark("own").range(from));
  }
  return { verdicts, chosen, lines, marks: RangeSet.of(marks, true), styles: Decoration.set(styles, true) };
}

const highlight = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--ink-3)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--code-call)" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--raised)", fontSize: "var(--t-code)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { font: "400 var(--t-code)/22px var(--mono)", fontVariantLigatures: "none", overflow: "auto", scrollbarWidth: "thin", scrollbarColor: "var(--line-strong) transparent" },
  ".cm-content": { padding: "8px 0 40vh", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0 16px 0 4px" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--ink-3)", border: "0", fontSize: "var(--t-micro)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "40px", padding: "0 8px 0 0" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-verdicts": { width: "26px" },
  ".cm-verdicts .cm-gutterElement": { display: "grid", justifyItems: "center", alignItems: "start" },
  ".cm-verdicts .mark": { marginTop: "4px" },
  ".mark": { width: "14px", height: "14px", display: "block", "--knock": "var(--raised)" },
  ".v-exact": { color: "var(--exact)" }, ".v-approximate": { color: "var(--approx)" }, ".v-rounding": { color: "var(--rounding)" },
  ".v-own": { color: "var(--own)" }, ".v-unknown": { color: "var(--own)" }, ".v-inherited": { color: "var(--inherited)" }, ".v-missing": { color: "var(--missing)" },
  "&.is-stale .cm-verdicts": { opacity: "0.5", transition: "opacity 120ms 200ms" },
  ".cm-line.is-own": { backgroundColor: "var(--own-soft)" },
  ".cm-line.is-chosen": { boxShadow: "inset 2px 0 0 var(--ink)" },
  ".cm-line.is-own.is-chosen": { boxShadow: "inset 2px 0 0 var(--own)" },
  ".answer": { color: "var(--code-target)", fontWeight: "650" },
  ".err": { textDecoration: "underline wavy var(--own) 1px", textUnderlineOffset: "4px" },
  ".says": { margin: "0 16px 4px 4px", padding: "2px 12px 6px", color: "var(--own)", font: "500 var(--t-small)/1.5 var(--sans)", background: "var(--own-soft)", borderRadius: "0 0 var(--radius-s) var(--radius-s)", whiteSpace: "pre-wrap" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--accent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { background: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "var(--radius-m)", boxShadow: "var(--lift-2)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "400 var(--t-code)/1 var(--mono)", padding: "4px", maxHeight: "13em", minWidth: "220px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { display: "flex", alignItems: "center", minHeight: "26px", padding: "0 8px", borderRadius: "var(--radius-s)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { marginLeft: "auto", paddingLeft: "16px", fontStyle: "normal", color: "var(--ink-3)", fontSize: "var(--t-micro)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "650" },
});

export function makeEditor({ room, source, steps, shapes, label, readOnly, changed, moved }) {
  const known = new Set(steps);
  const field = StateField.define({
    create: (state) => build(state, none, null, known),
    update(value, transaction) {
      let { verdicts, chosen } = value, touched = transaction.docChanged;
      for (const effect of transaction.effects) {
        if (effect.is(setVerdicts)) { verdicts = effect.value; touched = true; }
        if (effect.is(setChosen)) { chosen = effect.value; touched = true; }
      }
      if (transaction.docChanged && verdicts.error) verdicts = { ...verdicts, error: null };
      return touched ? build(transaction.state, verdicts, chosen, known) : value;
    },
    provide: (self) => EditorView.decorations.from(self, (value) => value.styles),
  });
  const answers = ViewPlugin.fromClass(class {
    constructor(view) { this.decorations = this.find(view); }
    update(update) { if (update.docChanged || update.viewportChanged) this.decorations = this.find(update.view); }
    find(view) {
      const ranges = [];
      for (const { from, to } of view.visibleRanges) {
        for (let at = from; at <= to;) {
          const line = view.state.doc.lineAt(at);
          for (const step of settersIn(line.text)) {
            const start = known.has(step) ? line.text.search(new RegExp(`\\bd${step}\\b`)) : -1;
            if (start >= 0) ranges.push(Decoration.mark({ class: "answer" }).range(line.from + start, line.from + start + step.length + 1));
          }
          at = line.to + 1;
        }
      }
      return Decoration.set(ranges, true);
    }
  }, { decorations: (plugin) => plugin.decorations });
  const names = [
    ...Object.entries(shapes).map(([name, shape]) => ({ label: name, detail: shape, type: "variable" })),
    ...steps.map((name) => ({ label: `d${name}`, detail: `gradient, ${shapes[name] ?? ""}`, type: "variable", boost: 1 })),
    { label: "torch", type: "namespace" }, { label: "F", detail: "torch.nn.functional", type: "namespace" },
  ];
  const complete = (context) => {
    const word = context.matchBefore(/[A-Za-z_]\w*/);
    if (!word && !context.explicit) return null;
    if (context.matchBefore(/\.\w*/) || context.matchBefore(/#.*/)) return null;
    return { from: word ? word.from : context.pos, options: names, validFor: /^\w*$/ };
  };
  // The editor writes its own classes at each focus, so a class that is only put on its element would go.
  const staleness = new Compartment(), attributesOf = (is) => EditorView.editorAttributes.of(is ? { class: "is-stale" } : {});
  let isStale = false;
  const shadow = room.attachShadow({ mode: "open" });
  const view = new EditorView({
    root: shadow, parent: shadow,
    state: EditorState.create({
      doc: source,
      extensions: [
        lineNumbers(), gutter({ class: "cm-verdicts", markers: (each) => each.state.field(field).marks, initialSpacer: () => new Mark("missing") }),
        highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(),
        autocompletion({ override: [complete], icons: false }), python(), syntaxHighlighting(highlight), EditorView.lineWrapping, theme, field, answers,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
        EditorState.readOnly.of(readOnly), staleness.of(attributesOf(false)),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((each) => each.annotation(Transaction.remote))) changed(update.state.doc.toString());
          if (update.selectionSet || update.docChanged) moved(stepAtCursor());
        }),
      ],
    }),
  });
  function stepAtCursor() {
    const number = view.state.doc.lineAt(view.state.selection.main.head).number;
    const at = [...view.state.field(field).lines].find(([, line]) => line === number);
    return at?.[0] ?? null;
  }
  return {
    view,
    get source() { return view.state.doc.toString(); },
    replace(text) { view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }); },
    show(marks, error) { view.dispatch({ effects: setVerdicts.of({ marks, error }) }); },
    choose(step, scroll) {
      view.dispatch({ effects: setChosen.of(step) });
      const number = scroll && view.state.field(field).lines.get(step);
      if (!number) return;
      // Only the editor scrolls: on a phone the page would jump to it.
      view.requestMeasure({
        read: () => view.lineBlockAt(view.state.doc.line(number).from),
        write: (block) => {
          const { scrollTop, clientHeight } = view.scrollDOM;
          if (block.top < scrollTop || block.bottom > scrollTop + clientHeight) view.scrollDOM.scrollTop = block.top - clientHeight / 2;
        },
      });
    },
    // Whether a line can be seen now, in the editor and in the window.
    sees(number) {
      if (number > view.state.doc.lines) return false;
      const room = view.scrollDOM.getBoundingClientRect(), block = view.lineBlockAt(view.state.doc.line(number).from);
      const top = view.documentTop + block.top;
      return top >= Math.max(room.top, 0) && top + block.height <= Math.min(room.bottom, innerHeight);
    },
    goTo(number) {
      const { from } = view.state.doc.line(Math.min(number, view.state.doc.lines));
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
      view.focus();
    },
    stale(is) {
      if (is === isStale) return;
      isStale = is;
      view.dispatch({ effects: staleness.reconfigure(attributesOf(is)) });
    },
  };
}
