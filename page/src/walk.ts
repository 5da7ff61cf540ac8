// The walk: what the cost, the rate, the gradient and the steps did, of one run or of several over one another.
import uPlot from "uplot";
import {Chart, type Line, type Mark} from "./chart";
import {classColour, onTheme, theme} from "./colour";
import type {RunDocument, StateDocument} from "./documents";
import {byId, el, painter, say, setText, show} from "./dom";
import {count, exact, middle, short, whole} from "./format";
import {look, lookAt, onLook} from "./state";
import {Walk, type Columns} from "./trace";

type Key = keyof Columns;

interface Strand {
    key: Key;
    name: string;
}

const SMALL: [Key, string, string][] = [
    ["rate", "Rate", "how long a step is for its gradient"],
    ["gradient", "Gradient norm", "how steep it is"],
    ["length", "Step length", "how far the weights moved"],
    ["speed", "Steps per second", "how fast it goes"],
];
const OF_COST: Strand[] = [{key: "cost", name: "each step"}, {key: "train", name: "training"}, {key: "valid", name: "validation"}];

export class WalkPanel {
    readonly walks: Walk[];
    private charts: Chart[] = [];
    private stretch: [number, number] | null = null;
    private log = false;
    private built = "";
    private hover: number | null = null;
    private readonly root = byId("walk-charts");
    private readonly readouts = new Map<Key, HTMLElement>();
    private readonly draw = painter(() => this.paint());
    private readonly read = painter(() => this.tell());

    constructor(private readonly run: RunDocument) {
        this.walks = run.runs.map(() => new Walk());
        byId("walk-log").addEventListener("click", () => lookAt({log: !this.log}));
        byId("walk-in").addEventListener("click", () => this.zoom(0.5));
        byId("walk-out").addEventListener("click", () => this.zoom(2));
        byId("walk-whole").addEventListener("click", () => this.setStretch(null));
        this.root.addEventListener("keydown", event => this.key(event));
        byId("walk-table").addEventListener("toggle", () => this.table());
        this.chooseRuns();
        onLook((_now, changed) => {
            if (changed.has("log") || changed.has("run") || changed.has("at"))
                this.draw();
        });
        onTheme(() => {
            this.built = "";
            this.chooseRuns();
            this.draw();
        });
        new ResizeObserver(() => {
            for (const chart of this.charts)
                chart.resize(chart.root.clientWidth);
        }).observe(this.root);
    }

    add(run: number, lines: string[]): void {
        for (const line of lines)
            this.walks[run]!.add(line);
        this.draw();
    }

    /** Where a live run stands between two lines of its log. */
    glance(run: number, state: StateDocument): void {
        if (this.walks[run]!.glance(state))
            this.draw();
    }

    /** The log was cut back to so many lines: its run goes on from there. */
    cut(run: number, lines: number): void {
        this.walks[run]!.cut(lines);
        this.draw();
    }

    end(run: number): void {
        this.walks[run]!.ended = true;
        this.draw();
    }

    private shown(): number[] {
        const all = this.walks.map((_walk, i) => i);
        const chosen = all.filter(i => !look.run || look.run.includes(i));
        return chosen.length > 0 ? chosen : all;
    }

    /** With more than one run: which are drawn. */
    private chooseRuns(): void {
        const root = byId("walk-runs");
        show(root, this.walks.length > 1);
        root.replaceChildren(el("legend", {text: "Runs"}), ...this.run.runs.map((one, i) => {
            const box = el("input", {type: "checkbox", onchange: () => {
                const now = this.shown().filter(j => j !== i).concat(box.checked ? [i] : []).sort((a, b) => a - b);
                box.checked = box.checked || now.length === 0;
                lookAt({run: now.length === this.walks.length || now.length === 0 ? null : now});
            }});
            box.checked = this.shown().includes(i);
            const swatch = el("span", {class: "swatch"});
            swatch.style.background = `rgb(${classColour(i).join(",")})`;
            return el("label", {}, box, swatch, el("span", {text: one.name}));
        }));
    }

    /** The strands of cost that have values in any of the runs shown; of several runs not each step's, that would be a tangle. */
    private strands(): Strand[] {
        const shown = this.shown().map(i => this.walks[i]!);
        const has = OF_COST.filter(({key}) => shown.some(walk => (walk.columns[key] as (number | null)[]).some(x => x !== null)));
        const calm = has.filter(({key}) => key !== "cost");
        return shown.length > 1 && calm.length > 0 ? calm : has;
    }

    private lines(strands: Strand[], small: boolean): Line[] {
        const {blue, orange, dark} = theme();
        const grey = dark ? [150, 158, 168] as const : [150, 154, 160] as const;
        const several = this.walks.length > 1;
        return this.shown().flatMap(i => strands.map(({key, name}): Line => ({
            label: name,
            colour: several ? classColour(i) : key === "cost" ? grey : key === "valid" ? orange : blue,
            width: key === "cost" ? 1 : small ? 1.5 : 2,
            alpha: key === "cost" && !several ? 0.75 : 1,
            ...(key === "valid" ? {dash: [6, 4]} : {}),
        })));
    }

    private branchLines(): Line[] {
        const grey = theme().dark ? [140, 148, 158] as const : [120, 124, 130] as const;
        return this.shown().flatMap(i => this.walks[i]!.branches.map(() => (
            {label: "walked in vain", colour: grey, width: 1.5, dash: [2, 3], aside: true})));
    }

    /** Columns of the runs shown over one common row of steps. */
    private data(keys: Key[], branches: boolean): uPlot.AlignedData {
        const shown = this.shown().map(i => this.walks[i]!);
        const positive = (values: (number | null)[]) => (this.log ? values.map(x => (x !== null && x > 0 ? x : null)) : values);
        const tables: uPlot.AlignedData[] = shown.map(walk =>
            [walk.columns.step, ...keys.map(key => positive(walk.columns[key]))] as uPlot.AlignedData);
        if (branches)
            for (const walk of shown)
                for (const branch of walk.branches)
                    tables.push([branch.step, positive(branch.cost)] as uPlot.AlignedData);
        return tables.length === 1 ? tables[0]! : uPlot.join(tables);
    }

    private wantsLog(): boolean {
        if (look.log !== null)
            return look.log;
        // Where a descent spans decades, a straight axis shows one of them. Once chosen it stays.
        const costs = this.shown().flatMap(i => this.walks[i]!.columns.cost).filter((x): x is number => x !== null);
        if (this.log || costs.length < 2)
            return this.log;
        const low = costs.reduce((a, b) => Math.min(a, b)), high = costs.reduce((a, b) => Math.max(a, b));
        return low > 0 && high / low > 300;
    }

    private build(strands: Strand[]): void {
        for (const chart of this.charts)
            chart.destroy();
        this.charts = [];
        this.readouts.clear();
        const make = (keys: Strand[], title: string, why: string, height: number): void => {
            const big = height > 200;
            const place = el("div", {class: "plot"});
            const values = el("span", {class: "values"});
            const figure = el("figure", {class: big ? "chart big" : "chart", tabindex: 0, role: "application",
                "aria-roledescription": "chart", "aria-label": `${title} by step: ${why}. Arrow keys move along it, plus and minus `
                + "stretch it, 0 shows all of it."}, el("figcaption", {}, el("span", {class: "title", text: title}), values), place);
            this.root.append(figure);
            for (const {key, name} of keys) {
                const value = el("output", {class: "value", "aria-live": "off"});
                values.append(big ? el("span", {class: `key ${key}`}, el("span", {text: name}), value) : value);
                this.readouts.set(key, value);
            }
            this.charts.push(new Chart(place, {
                label: title, height, axis: big, log: this.log && big,
                lines: [...this.lines(keys, !big), ...(big ? this.branchLines() : [])],
                marks: () => this.marks(),
                moved: row => {
                    this.hover = row;
                    this.read();
                },
                stretched: (from, to) => this.stretched(from, to),
            }, this.data(keys.map(({key}) => key), big)));
        };
        this.root.replaceChildren();
        make(strands, "Cost", "how far up the hill", 280);
        for (const [key, title, why] of SMALL)
            make([{key, name: title}], title, why, 104);
        byId("walk").classList.toggle("several", this.walks.length > 1);
    }

    private marks(): Mark[] {
        const marks: Mark[] = [];
        for (const i of this.shown()) {
            const walk = this.walks[i]!;
            for (const back of walk.backs)
                marks.push({step: back.step, kind: "back"});
            const last = walk.columns.step[walk.columns.step.length - 1];
            if (walk.fall)
                marks.push({step: last ?? walk.fall.step, kind: "fall"});
        }
        const first = this.walks[0]!;
        const row = look.at === "now" ? -1 : first.rowOfEpoch(look.at);
        if (row >= 0)
            marks.push({step: first.columns.step[row]!, kind: "at"});
        return marks;
    }

    private paint(): void {
        const strands = this.strands();
        this.log = this.wantsLog();
        const branches = this.shown().map(i => this.walks[i]!.branches.length);
        const built = JSON.stringify([strands.map(({key}) => key), this.log, this.shown(), branches]);
        if (built !== this.built) {
            this.build(strands.length > 0 ? strands : OF_COST.slice(0, 1));
            this.built = built;
            if (this.stretch)
                this.setStretch(this.stretch);
        } else {
            this.charts.forEach((chart, i) => chart.setData(
                i === 0 ? this.data(strands.length > 0 ? strands.map(({key}) => key) : ["cost"], true) : this.data([SMALL[i - 1]![0]], false),
                this.stretch));
        }
        byId("walk-log").setAttribute("aria-pressed", String(this.log));
        this.tell();
        this.tellEvents();
    }

    /** The values under the cursor, or the last ones. */
    private tell(): void {
        const shown = this.shown();
        const walk = this.walks[shown[0]!]!;
        const steps = this.charts[0]?.plot.data[0] ?? [];
        const step = this.hover === null ? undefined : steps[this.hover];
        let row = walk.columns.step.length - 1;
        while (step !== undefined && row > 0 && walk.columns.step[row]! > step)
            row--;
        for (const [key, value] of this.readouts)
            setText(value, shown.length > 1 && this.walks.length > 1
                ? shown.map(i => short(this.valueOf(i, key, step))).join("  ")
                : middle(walk.at(key, row)));
        const epoch = walk.columns.epoch[row];
        setText(byId("walk-step"), row < 0 ? "no step yet" : `step ${whole(step ?? walk.columns.step[row]!)}, epoch ${whole(epoch ?? 0)}`);
        const accuracy = walk.at("accuracy", row);
        setText(byId("walk-accuracy"), accuracy === null ? "" : `, validation accuracy ${(100 * accuracy).toFixed(2)}%`);
    }

    private say(): void {
        const values = [...this.readouts].map(([key, value]) => `${OF_COST.find(one => one.key === key)?.name
            ?? SMALL.find(one => one[0] === key)![1]} ${value.textContent}`);
        say(`${byId("walk-step").textContent}: ${values.join(", ")}`);
    }

    private valueOf(run: number, key: Key, step: number | undefined): number | null {
        const walk = this.walks[run]!;
        let row = walk.columns.step.length - 1;
        while (step !== undefined && row >= 0 && walk.columns.step[row]! > step)
            row--;
        return walk.at(key, row);
    }

    /** Falls and ways back in words; the worst of them over everything. */
    private tellEvents(): void {
        const items: string[] = [];
        for (const i of this.shown()) {
            const walk = this.walks[i]!;
            const who = this.walks.length > 1 ? `${this.run.runs[i]!.name}: ` : "";
            for (const back of walk.backs)
                items.push(`${who}${back.reason || `diverged at step ${whole(back.step)}; back to step ${whole(back.to)}`}`
                    + ` (goes on at rate ${short(back.rate)})`);
            for (const {step, rate} of walk.rates)
                items.push(`${who}at step ${whole(step)} the rate was ${rate > 0 ? `set to ${short(rate)}` : "given back to its schedule"}`);
            if (walk.unread > 0)
                items.push(`${who}${count(walk.unread, "line")} of the log could not be read`);
        }
        const list = byId("walk-events");
        const text = items.join("\n");
        if (list.dataset["told"] !== text) {
            list.dataset["told"] = text;
            list.replaceChildren(...items.map(item => el("li", {text: item})));
            show(byId("walk-told"), items.length > 0);
            setText(byId("walk-told-count"), count(items.length, "event"));
        }
    }

    private stretched(from: number, to: number): void {
        const steps = this.charts[0]?.plot.data[0];
        if (!steps || steps.length < 2)
            return;
        const whole = from <= steps[0]! && to >= steps[steps.length - 1]!;
        this.stretch = whole ? null : [from, to];
        byId<HTMLButtonElement>("walk-whole").disabled = whole;
    }

    private setStretch(stretch: [number, number] | null): void {
        const steps = this.charts[0]?.plot.data[0] ?? [];
        if (steps.length < 2)
            return;
        const [low, high] = [steps[0]!, steps[steps.length - 1]!];
        for (const chart of this.charts)
            chart.plot.setScale("x", stretch ? {min: stretch[0], max: stretch[1]} : {min: low, max: high});
    }

    private zoom(by: number): void {
        const steps = this.charts[0]?.plot.data[0] ?? [];
        if (steps.length < 2)
            return;
        const [low, high] = [steps[0]!, steps[steps.length - 1]!];
        const [from, to] = this.stretch ?? [low, high];
        const middle = this.hover !== null ? steps[this.hover]! : (from + to) / 2;
        const half = (to - from) * by / 2;
        const begin = Math.max(low, middle - half);
        this.setStretch([begin, Math.min(high, begin + 2 * half)]);
    }

    private key(event: KeyboardEvent): void {
        const plot = this.charts[0]?.plot;
        const steps = plot?.data[0] ?? [];
        if (!plot || steps.length === 0 || event.ctrlKey || event.metaKey || event.altKey)
            return;
        const last = steps.length - 1;
        const now = this.hover ?? last;
        const stride = event.shiftKey ? Math.max(1, Math.round(last / 20)) : 1;
        const to = {ArrowLeft: now - stride, ArrowRight: now + stride, Home: 0, End: last}[event.key];
        if (to !== undefined) {
            const row = Math.min(last, Math.max(0, to));
            const left = plot.valToPos(steps[row]!, "x");
            plot.setCursor({left, top: plot.over.clientHeight / 2});
            requestAnimationFrame(() => this.say());
        } else if (event.key === "+" || event.key === "=")
            this.zoom(0.5);
        else if (event.key === "-")
            this.zoom(2);
        else if (event.key === "0")
            this.setStretch(null);
        else if (event.key === "Escape")
            plot.setCursor({left: -10, top: -10});
        else
            return;
        event.preventDefault();
    }

    /** The walk as a table: all rows, or evenly chosen ones, and how many those are. */
    private table(): void {
        const details = byId<HTMLDetailsElement>("walk-table");
        if (!details.open)
            return;
        const walk = this.walks[this.shown()[0]!]!;
        const keys: Key[] = ["step", "epoch", "cost", "train", "valid", "rate", "gradient", "length"];
        const rows = walk.columns.step.length;
        const every = Math.ceil(rows / 200) || 1;
        const chosen = walk.columns.step.map((_step, i) => i).filter(i => i % every === 0 || i === rows - 1);
        const names = ["step", "epoch", "cost of the step", "training", "validation", "rate", "gradient norm", "step length"];
        byId("walk-table-body").replaceChildren(
            el("p", {class: "note", text: `${whole(chosen.length)} of ${count(rows, "line")} of ${this.run.runs[this.shown()[0]!]!.name}.`}),
            el("table", {class: "numbers"}, el("thead", {}, el("tr", {}, ...names.map(text => el("th", {scope: "col", text})))),
                el("tbody", {}, ...chosen.map(i => el("tr", {}, ...keys.map(key => el("td", {text: exact(walk.columns[key][i])})))))));
    }
}
