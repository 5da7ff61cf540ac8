// The recipe: what was trained, on what, with which knobs, by which version; and the command that does it again.
import type {RunDocument} from "./documents";
import {byId, copyButton, el, setText, show} from "./dom";
import {count, whole} from "./format";

// What one looks for first.
const FIRST = ["net", "rule", "rate", "batch", "epochs", "cost", "seed"];

export function showRecipe(run: RunDocument, leftOut: string[]): void {
    const knobs = run.recipe.split("\n").filter(line => line.includes("="))
        .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
    const first = FIRST.flatMap(key => knobs.filter(knob => knob[0] === key));
    const rest = knobs.filter(knob => !FIRST.includes(knob[0]));
    const facts: [string, string][] = [
        ["target", run.target + (run.task === "classes" && run.classes ? ` (${count(run.classes.length, "class").replace(/classs$/, "classes")})` : "")],
        ["inputs", count(run.columns.length + (run.columns_left_out ?? 0), "column")],
        ...first,
        ["version", `Downhill ${run.version}, arithmetic ${run.arithmetic}`],
    ];
    const body = (rows: [string, string][]) => el("tbody", {}, ...rows.map(([key, value]) => el("tr", {}, el("th", {scope: "row", text: key}), el("td", {text: value}))));
    byId("recipe-facts").replaceChildren(el("table", {class: "knobs"}, body(facts)));
    byId("recipe-rest").replaceChildren(el("table", {class: "knobs"}, body(rest)));
    setText(byId("recipe-rest-title"), `The other ${whole(rest.length)} knobs`);
    setText(byId("recipe-command"), run.command);
    byId("recipe-copy").replaceWith(copyButton(() => run.command));
    showColumns(run);
    show(byId("left-out"), leftOut.length > 0);
    byId("left-out-list").replaceChildren(...leftOut.map(text => el("li", {text})));
}

function showColumns(run: RunDocument): void {
    const rows = run.columns.map(column => el("tr", {}, el("th", {scope: "row", text: column.name}), el("td", {text: column.kind}),
        el("td", {text: column.values ? column.values.slice(0, 12).join(", ") + (column.values.length > 12 ? ` and ${whole(column.values.length - 12 + (column.values_left_out ?? 0))} more` : "")
            : `${column.low} to ${column.high}`})));
    setText(byId("columns-title"), `The ${count(run.columns.length, "column")}`
        + (run.columns_left_out ? ` of ${whole(run.columns.length + run.columns_left_out)} that are listed` : ""));
    byId("columns").replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, ...["Column", "Kind", "Values"].map(text => el("th", {scope: "col", text})))),
        el("tbody", {}, ...rows)));
}
