// How the model answers: its metrics, which classes it takes for which, the rows behind each cell, the worst rows.
import {inkOn, mix, onTheme, theme, type Rgb} from "./colour";
import type {AnswersDocument, RunDocument} from "./documents";
import {byId, choice, el, setText, show} from "./dom";
import {count, percent, short, whole} from "./format";
import {RowsView} from "./rows";
import {Scatter} from "./scatter";
import type {Source} from "./source";
import {look, lookAt, onLook} from "./state";

const METRICS: Record<string, string> = {cost: "Cost", accuracy: "Accuracy", rmse: "Root mean squared error", mae: "Mean absolute error",
    r2: "R\u00b2"};
const PARTS: Record<string, string> = {data: "rows of the data", test: "test rows"};

export class AnswersPanel {
    private answers: AnswersDocument | null = null;
    private made = "";
    private cells: {button: HTMLButtonElement; cell: HTMLElement}[][] = [];
    private behind: {truth: number; answer: number} | null = null;
    private readonly rows = new RowsView();
    private readonly scatter = new Scatter();

    constructor(private readonly run: RunDocument, private readonly source: Source) {
        if (run.parts.length > 1) {
            const made = choice("Asked on", run.parts.map((part): [string, string] => [part, PARTS[part] ?? part]), this.part(),
                part => lookAt({part}));
            byId("answers-choices").append(made.root);
            onLook((_now, changed) => {
                if (changed.has("part"))
                    made.select.value = this.part();
            });
        }
        byId("rows-worst").addEventListener("click", () => {
            this.behind = null;
            this.showRows();
        });
        onLook((_now, changed) => {
            if (changed.has("part") || changed.has("at"))
                this.behind = null;
        });
        onTheme(() => this.colourCells());
    }

    part(): string {
        return this.run.parts.find(part => part === look.part) ?? this.run.parts[0] ?? "data";
    }

    show(answers: AnswersDocument): void {
        this.answers = answers;
        show(byId("answers-body"), true);
        setText(byId("answers-problem"), "");
        this.showMetrics(answers);
        show(byId("confusion-part"), answers.confusion !== null || answers.pairs !== undefined);
        if (answers.confusion)
            this.showConfusion(answers, answers.confusion);
        else if (answers.pairs)
            this.showPairs(answers, answers.pairs);
        show(byId("scatter-part"), answers.scatter !== null);
        if (answers.scatter)
            this.scatter.show(answers.scatter, answers.rows, this.run.target);
        if (!this.behind)
            this.showRows();
    }

    fail(words: string): void {
        setText(byId("answers-problem"), words);
        if (!this.answers)
            show(byId("answers-body"), false);
    }

    private showMetrics(answers: AnswersDocument): void {
        const items = Object.entries(answers.metrics).map(([key, value]): [string, string] =>
            [METRICS[key] ?? key, key === "accuracy" ? percent(value) : short(value)]);
        items.push([PARTS[answers.part] === undefined ? "Rows" : PARTS[answers.part]!.replace(/^./, c => c.toUpperCase()), whole(answers.rows)]);
        const list = byId("metrics");
        if (list.children.length !== items.length)
            list.replaceChildren(...items.map(() => el("div", {}, el("dt"), el("dd"))));
        items.forEach(([name, value], i) => {
            setText(list.children[i]!.children[0]!, name);
            setText(list.children[i]!.children[1]!, value);
        });
    }

    /** The table is built once, then its cells change. */
    private showConfusion(answers: AnswersDocument, counts: number[][]): void {
        const classes = answers.classes ?? this.run.classes ?? [];
        const made = JSON.stringify(["confusion", classes]);
        if (made !== this.made) {
            this.made = made;
            this.cells = classes.map((truth, t) => classes.map((answer, a) => {
                const button = el("button", {type: "button", onclick: () => void this.lookBehind(t, a)});
                button.dataset["truth"] = truth;
                button.dataset["answer"] = answer;
                return {button, cell: el("td", {}, button)};
            }));
            const head = el("tr", {}, el("td", {class: "corner", text: "truth \\ answer"}),
                ...classes.map(text => el("th", {scope: "col", title: text}, el("span", {text}))));
            byId("confusion").replaceChildren(el("table", {class: classes.length > 12 ? "confusion dense" : "confusion"}, el("thead", {}, head),
                el("tbody", {}, ...classes.map((text, t) => el("tr", {}, el("th", {scope: "row", title: text}, el("span", {text})),
                    ...this.cells[t]!.map(({cell}) => cell))))));
        }
        counts.forEach((row, t) => row.forEach((n, a) => {
            const {button} = this.cells[t]![a]!;
            setText(button, whole(n));
            button.setAttribute("aria-label", `${count(n, "row")}: truth ${classes[t]}, answer ${classes[a]}`);
            button.disabled = n === 0;
        }));
        this.colourCells();
    }

    /** A cell's colour is its part of its row: blue where that is right, orange where it is wrong. */
    private colourCells(): void {
        const {blue, orange, neutral} = theme();
        this.answers?.confusion?.forEach((row, t) => {
            const all = row.reduce((sum, n) => sum + n, 0) || 1;
            row.forEach((n, a) => {
                const colour: Rgb = mix(neutral, t === a ? blue : orange, n === 0 ? 0 : 0.1 + 0.9 * Math.sqrt(n / all));
                const button = this.cells[t]?.[a]?.button;
                if (button) {
                    button.style.backgroundColor = `rgb(${colour.map(Math.round).join(",")})`;
                    button.style.color = n === 0 ? theme().quiet : inkOn(colour);
                }
            });
        });
    }

    private showPairs(answers: AnswersDocument, pairs: [number, number, number][]): void {
        const classes = answers.classes ?? this.run.classes ?? [];
        this.made = "pairs";
        byId("confusion").replaceChildren(el("table", {class: "pairs"},
            el("caption", {text: `The ${pairs.length} most frequent of ${whole(classes.length)} by ${whole(classes.length)} pairs`}),
            el("thead", {}, el("tr", {}, ...["Truth", "Answer", "Rows"].map(text => el("th", {scope: "col", text})))),
            el("tbody", {}, ...pairs.map(([t, a, n]) => el("tr", {}, el("td", {text: classes[t] ?? String(t)}), el("td", {text: classes[a] ?? String(a)}),
                el("td", {}, el("button", {type: "button", text: whole(n), "aria-label": `${count(n, "row")}: truth ${classes[t]}, answer ${classes[a]}`,
                    onclick: () => void this.lookBehind(t, a)})))))));
    }

    private async lookBehind(truth: number, answer: number): Promise<void> {
        const classes = this.answers?.classes ?? this.run.classes ?? [];
        this.behind = {truth, answer};
        try {
            const found = await this.source.rows(look.at, this.part(), truth, answer);
            this.rows.show(found.rows, `Truth ${classes[truth]}, answer ${classes[answer]}`,
                found.rows.length < found.count ? `${whole(found.rows.length)} of ${count(found.count, "row")}`
                    + (this.source.leftOut.length > 0 ? "; a report holds the worst rows only" : "") : count(found.count, "row"));
            show(byId("rows-worst"), true);
            byId("rows-title").focus();
        } catch (error) {
            this.behind = null;
            setText(byId("rows-note"), (error as Error).message);
        }
    }

    private showRows(): void {
        const worst = this.answers?.worst ?? [];
        show(byId("rows-worst"), false);
        this.rows.show(worst, "The worst rows", `${whole(worst.length)} of ${count(this.answers?.rows ?? 0, "row")}, by their cost`);
    }
}
