// Rows of the data with what the model answered: a table, or images.
import type {Row} from "./documents";
import {byId, el, setText} from "./dom";
import {count, percent, short, whole} from "./format";
import {imagePicture} from "./picture";

export class RowsView {
    private told = "";

    show(rows: Row[], title: string, note: string): void {
        setText(byId("rows-title"), title);
        setText(byId("rows-note"), note);
        // The same rows as before are left as they are: somebody may be reading them.
        const told = JSON.stringify(rows.map(row => [row.row, row.truth, row.answer, row.sure, row.cost]));
        if (told === this.told)
            return;
        this.told = told;
        const images = rows.length > 0 && rows.every(row => row.image !== null);
        byId("rows").replaceChildren(rows.length === 0 ? el("p", {class: "note", text: "None."}) : images ? album(rows) : table(rows));
    }
}

function album(rows: Row[]): HTMLElement {
    return el("ul", {class: "album"}, ...rows.map(row => {
        const canvas = imagePicture(row.image!);
        const shown = el("canvas", {width: canvas.width, height: canvas.height, role: "img",
            "aria-label": `Image of row ${row.row}: truth ${row.truth}, answer ${row.answer}`});
        shown.getContext("2d")!.drawImage(canvas, 0, 0);
        return el("li", {}, shown, el("span", {class: "answer"}, el("span", {text: row.truth}), el("span", {class: "taken", text: ` \u2192 ${row.answer}`})),
            el("span", {class: "quiet", text: `${row.sure === null ? "" : `${percent(row.sure)} sure, `}row ${whole(row.row)}`}));
    }));
}

function table(rows: Row[]): HTMLElement {
    const sure = rows.some(row => row.sure !== null);
    const names = (rows[0]?.cells ?? []).map(([name]) => name);
    const head = ["Row", "Truth", "Answer", ...(sure ? ["Sure"] : []), "Cost"];
    return el("table", {class: "rows"},
        el("thead", {}, el("tr", {}, ...head.map(text => el("th", {scope: "col", text})),
            ...names.map(text => el("th", {scope: "col", class: "cell", text})))),
        el("tbody", {}, ...rows.map(row => el("tr", {}, el("th", {scope: "row", text: whole(row.row)}), el("td", {text: row.truth}),
            el("td", {class: row.sure === null || row.truth === row.answer ? "" : "taken", text: row.answer}),
            sure ? el("td", {class: "count", text: percent(row.sure)}) : null, el("td", {class: "count", text: short(row.cost)}),
            ...row.cells.map(([, value]) => el("td", {class: "cell", text: value === "" ? "\u2013" : value})),
            ...(row.cells_left_out ? [el("td", {class: "cell", text: `and ${count(row.cells_left_out, "column")} more`})] : [])))));
}
