// The layers as a table: how many units and weights, how they are spread, how many units are asleep.
import {onTheme, css, theme} from "./colour";
import type {Bins, Layer, NetDocument} from "./documents";
import {byId, el, fit, painter, setText} from "./dom";
import {short, whole} from "./format";

const WIDTH = 128;
const HEIGHT = 34;
const KINDS = ["weights", "activations", "gradient"] as const;
const NAMES = {weights: "Weights", activations: "Answers of units", gradient: "Gradient"};

interface Cells {
    asleep: HTMLElement;
    bins: {canvas: HTMLCanvasElement; words: HTMLElement}[];
}

export class LayersTable {
    private net: NetDocument | null = null;
    private cells: Cells[] = [];
    private made = "";
    private readonly draw = painter(() => this.paint());

    constructor() {
        onTheme(this.draw);
    }

    show(net: NetDocument): void {
        this.net = net;
        this.draw();
    }

    private build(net: NetDocument): void {
        this.cells = [];
        const rows = net.layers.map(layer => {
            const asleep = el("td", {class: "count"});
            const bins = KINDS.map(() => ({canvas: el("canvas", {role: "img"}), words: el("span", {class: "range"})}));
            this.cells.push({asleep, bins});
            return el("tr", {}, el("th", {scope: "row"}, el("span", {text: layer.name}), el("span", {class: "words", text: layer.words})),
                el("td", {class: "count", text: whole(layer.units)}), el("td", {class: "count", text: whole(layer.weight_count)}), asleep,
                ...bins.map(({canvas, words}) => el("td", {}, canvas, words)));
        });
        byId("layers").replaceChildren(el("table", {}, el("thead", {}, el("tr", {},
            ...["Layer", "Units", "Weights", "Asleep"].map((text, i) => el("th", {scope: "col", text, class: i ? "count" : ""})),
            ...KINDS.map(kind => el("th", {scope: "col", text: NAMES[kind]})))), el("tbody", {}, ...rows)));
    }

    private paint(): void {
        const net = this.net;
        if (!net)
            return;
        const made = JSON.stringify(net.layers.map(layer => [layer.name, layer.words, layer.units]));
        if (made !== this.made) {
            this.build(net);
            this.made = made;
        }
        net.layers.forEach((layer, i) => this.row(layer, this.cells[i]!));
    }

    private row(layer: Layer, cells: Cells): void {
        setText(cells.asleep, layer.asleep === null ? "\u2013" : whole(layer.asleep));
        cells.asleep.classList.toggle("warn", layer.asleep !== null && layer.asleep > 0);
        KINDS.forEach((kind, k) => {
            const bins = layer.bins[kind];
            const {canvas, words} = cells.bins[k]!;
            setText(words, bins ? `${short(bins.low)} to ${short(bins.high)}` : "\u2013");
            canvas.setAttribute("aria-label", bins ? `${NAMES[kind]} of ${layer.name}: ${inWords(bins)}` : `no ${NAMES[kind].toLowerCase()}`);
            paintBins(canvas, bins);
        });
    }
}

/** Where most of the values lie. */
function inWords(bins: Bins): string {
    const all = bins.counts.reduce((sum, n) => sum + n, 0) || 1;
    const top = bins.counts.indexOf(Math.max(...bins.counts));
    const width = (bins.high - bins.low) / bins.counts.length;
    return `from ${short(bins.low)} to ${short(bins.high)}, most, ${Math.round(100 * bins.counts[top]! / all)}%, about `
        + short(bins.low + (top + 0.5) * width);
}

function paintBins(canvas: HTMLCanvasElement, bins: Bins | null): void {
    const context = fit(canvas, WIDTH, HEIGHT);
    const {line, blue, orange} = theme();
    context.fillStyle = line;
    context.fillRect(0, HEIGHT - 1, WIDTH, 1);
    if (!bins)
        return;
    const most = Math.max(1, ...bins.counts);
    const width = WIDTH / bins.counts.length;
    bins.counts.forEach((n, i) => {
        const middle = bins.low + (i + 0.5) * (bins.high - bins.low) / bins.counts.length;
        // The root: a few values far out are seen beside thousands near zero.
        const height = n > 0 ? Math.max(1.5, Math.sqrt(n / most) * (HEIGHT - 3)) : 0;
        context.fillStyle = css(middle < 0 ? blue : orange, 0.85);
        context.fillRect(i * width + 0.5, HEIGHT - 1 - height, Math.max(1, width - 1), height);
    });
    if (bins.low < 0 && bins.high > 0) {
        context.fillStyle = theme().quiet;
        context.fillRect(Math.round(WIDTH * -bins.low / (bins.high - bins.low)), 0, 1, HEIGHT);
    }
}
