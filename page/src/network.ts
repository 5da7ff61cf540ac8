// The network as units and connections. Thickness and colour say what a weight is; inside a unit stands what it answers over the
// two chosen columns, or the picture that it looks for.
import {bytesOf, reachOf, valueAt} from "./bytes";
import {css, diverging, onTheme, theme} from "./colour";
import type {Bytes, Layer, MapDocument, NetDocument, RunDocument} from "./documents";
import {byId, fit, painter, say, setText, show} from "./dom";
import {whole, short} from "./format";
import {mapPicture, mapsOf, weightPicture} from "./picture";

// Units of a column that are drawn; the note says what isn't, the gallery below shows all.
const MOST_UNITS = 10;
const NARROW_UNITS = 6;

interface Unit {
    x: number;
    y: number;
    size: number;
    column: number;
    index: number;
}

interface Place {
    title: string;
    words: string;
    all: number;
    units: Unit[];
    x: number;
}

export class NetworkPanel {
    private net: NetDocument | null = null;
    private map: MapDocument | null = null;
    private readonly canvas = byId<HTMLCanvasElement>("net-canvas");
    private readonly draw = painter(() => this.paint());
    private places: Place[] = [];
    private chosen: Unit | null = null;
    onChosenLayer: (name: string) => void = () => undefined;

    constructor(private readonly run: RunDocument) {
        this.canvas.addEventListener("pointermove", event => this.point(event));
        this.canvas.addEventListener("pointerleave", () => this.choose(null));
        this.canvas.addEventListener("click", () => {
            if (this.chosen && this.chosen.column > 0)
                this.onChosenLayer(this.net!.layers[this.chosen.column - 1]!.name);
        });
        this.canvas.addEventListener("keydown", event => this.key(event));
        new ResizeObserver(this.draw).observe(byId("net-frame"));
        onTheme(this.draw);
    }

    show(net: NetDocument): void {
        this.net = net;
        show(byId("net-body"), true);
        setText(byId("net-problem"), "");
        this.draw();
    }

    showMap(map: MapDocument): void {
        this.map = map;
        this.draw();
    }

    fail(words: string): void {
        setText(byId("net-problem"), words);
        if (!this.net)
            show(byId("net-body"), false);
    }

    /** Names of the inputs, where each is a column. */
    private inputName(index: number): string {
        const first = this.net!.layers[0]!;
        return first.inputs === this.run.columns.length ? this.run.columns[index]!.name : `input ${index + 1}`;
    }

    private lay(width: number): number {
        const layers = this.net!.layers;
        const narrow = width < 520;
        const most = narrow ? NARROW_UNITS : MOST_UNITS;
        const labels = narrow ? 4 : 96;
        const columns = [{title: "inputs", words: "", all: layers[0]?.inputs ?? 0},
            ...layers.map(layer => ({title: layer.name, words: layer.words, all: layer.units}))];
        const gap = (width - 2 * labels) / columns.length;
        const size = Math.max(14, Math.min(44, gap * 0.5));
        const pitch = size + (narrow ? 6 : 9);
        const tallest = Math.max(...columns.map(column => Math.min(column.all, most)));
        const height = 42 + tallest * pitch + 18;
        this.places = columns.map((column, c) => {
            const shown = this.isPicture(c) ? 1 : Math.min(column.all, most);
            const x = labels + gap * (c + 0.5);
            const top = 42 + (tallest - shown) * pitch / 2;
            return {...column, x, units: Array.from({length: shown}, (_unit, i) => (
                {x, y: top + i * pitch + size / 2, size, column: c, index: i}))};
        });
        return height;
    }

    /** The inputs of a net over pictures are drawn as one sheet. */
    private isPicture(column: number): boolean {
        return column === 0 && this.net!.layers[0]?.picture != null;
    }

    /** Whether a layer's inputs are the units before it, one for one. */
    private isDense(column: number): boolean {
        const layer = this.net!.layers[column - 1];
        return layer !== undefined && layer.weights !== null && layer.inputs === this.places[column - 1]!.all && !this.isPicture(column - 1);
    }

    private paint(): void {
        if (!this.net)
            return;
        const frame = byId("net-frame");
        const width = Math.max(frame.clientWidth, 56 * (this.net.layers.length + 1));
        if (width < 60)
            return;
        const height = this.lay(width);
        const context = fit(this.canvas, width, height);
        for (let c = 1; c < this.places.length; c++)
            this.paintConnections(context, c);
        this.places.forEach((place, c) => {
            this.paintTitle(context, place, width);
            for (const unit of place.units)
                this.paintUnit(context, unit, c, width);
            if (place.all > place.units.length && !this.isPicture(c)) {
                const last = place.units[place.units.length - 1]!;
                context.fillStyle = theme().quiet;
                context.font = "11px system-ui, sans-serif";
                context.textAlign = "center";
                context.fillText(`+${whole(place.all - place.units.length)}`, place.x, last.y + last.size / 2 + 14);
            }
        });
        this.describe();
    }

    private paintTitle(context: CanvasRenderingContext2D, place: Place, width: number): void {
        const room = Math.max(54, (width - 8) / this.places.length - 6);
        const cut = (text: string) => {
            let shown = text;
            while (shown.length > 2 && context.measureText(shown).width > room)
                shown = shown.slice(0, -2) + "\u2026";
            return shown;
        };
        context.textAlign = "center";
        context.font = "600 12px system-ui, sans-serif";
        context.fillStyle = theme().ink;
        context.fillText(cut(place.title), place.x, 12);
        context.font = "11px system-ui, sans-serif";
        context.fillStyle = theme().quiet;
        context.fillText(cut(place.words || whole(place.all)), place.x, 27);
    }

    private paintConnections(context: CanvasRenderingContext2D, c: number): void {
        const layer = this.net!.layers[c - 1]!;
        const [from, to] = [this.places[c - 1]!, this.places[c]!];
        if (!this.isDense(c)) {
            this.paintBand(context, from, to);
            return;
        }
        const weights = layer.weights!;
        const bytes = bytesOf(weights);
        const reach = reachOf(weights);
        const lines: [number, Unit, Unit][] = [];
        for (const a of from.units)
            for (const b of to.units)
                if (b.index >= weights.first && b.index < weights.first + weights.units)
                    lines.push([(weights.low + bytes[a.index * weights.units + b.index - weights.first]!
                        * (weights.high - weights.low) / 255) / reach, a, b]);
        // Strong ones lie on top.
        lines.sort((one, other) => Math.abs(one[0]) - Math.abs(other[0]));
        const {blue, orange} = theme();
        for (const [w, a, b] of lines) {
            const size = Math.abs(w);
            const dimmed = this.chosen && !this.touches(a) && !this.touches(b);
            const [x1, x2] = [a.x + a.size / 2, b.x - b.size / 2];
            context.strokeStyle = css(w < 0 ? blue : orange, (0.12 + 0.8 * size) * (dimmed ? 0.15 : 1));
            context.lineWidth = 0.5 + 4.5 * size;
            context.beginPath();
            context.moveTo(x1, a.y);
            context.bezierCurveTo((x1 + x2) / 2, a.y, (x1 + x2) / 2, b.y, x2, b.y);
            context.stroke();
        }
    }

    private touches(unit: Unit): boolean {
        return this.chosen?.column === unit.column && this.chosen.index === unit.index;
    }

    /** Where one line a weight would say nothing: from all to all. */
    private paintBand(context: CanvasRenderingContext2D, from: Place, to: Place): void {
        const [a, b] = [from.units[0]!, to.units[0]!];
        const [c, d] = [from.units[from.units.length - 1]!, to.units[to.units.length - 1]!];
        const [x1, x2] = [a.x + a.size / 2 + 3, b.x - b.size / 2 - 3];
        context.fillStyle = css(theme().neutral);
        context.beginPath();
        context.moveTo(x1, a.y - a.size / 2);
        context.lineTo(x2, b.y - b.size / 2);
        context.lineTo(x2, d.y + d.size / 2);
        context.lineTo(x1, c.y + c.size / 2);
        context.fill();
    }

    private picture(c: number, index: number): HTMLCanvasElement | null {
        const layer = this.net!.layers[c - 1];
        if (!layer)
            return null;
        const map = this.mapOf(layer, index);
        if (map)
            return mapPicture(map, this.map!.width, this.map!.height);
        return layer.picture && layer.weights ? weightPicture(layer, layer.weights, index) : null;
    }

    private mapOf(layer: Layer, index: number): Bytes | undefined {
        return mapsOf(this.map, layer, layer === this.net!.layers[this.net!.layers.length - 1])[index];
    }

    private paintUnit(context: CanvasRenderingContext2D, unit: Unit, c: number, width: number): void {
        const layer = this.net!.layers[c - 1];
        const {size} = unit;
        const [left, top] = [unit.x - size / 2, unit.y - size / 2];
        const picture = c > 0 ? this.picture(c, unit.index) : null;
        context.save();
        context.beginPath();
        context.roundRect(left, top, size, size, Math.min(6, size / 5));
        context.fillStyle = layer?.bias ? css(diverging(valueAt(layer.bias, unit.index) / reachOf(layer.bias))) : css(theme().neutral);
        context.fill();
        if (picture) {
            context.clip();
            context.imageSmoothingEnabled = this.map !== null;
            context.drawImage(picture, left, top, size, size);
        }
        context.restore();
        context.beginPath();
        context.roundRect(left, top, size, size, Math.min(6, size / 5));
        context.strokeStyle = this.touches(unit) ? theme().ink : theme().quiet;
        context.lineWidth = this.touches(unit) ? 2 : 1;
        context.stroke();
        this.paintName(context, unit, c, width);
    }

    private paintName(context: CanvasRenderingContext2D, unit: Unit, c: number, width: number): void {
        const {ink, quiet} = theme();
        const last = c === this.places.length - 1;
        context.font = "11px system-ui, sans-serif";
        if (c === 0 && this.isPicture(0)) {
            context.fillStyle = quiet;
            context.textAlign = "center";
            context.fillText(this.net!.layers[0]!.picture!.slice(0, 2).join("\u00d7"), unit.x, unit.y + unit.size / 2 + 14);
        }
        if (width < 520 || (c !== 0 && !last) || (c === 0 && this.isPicture(0)))
            return;
        const name = last && this.run.task === "classes" && this.run.classes?.length === this.places[c]!.all
            ? this.run.classes[unit.index]! : last ? (this.places[c]!.all === 1 ? this.run.target : "") : this.inputName(unit.index);
        context.fillStyle = ink;
        context.textAlign = last ? "left" : "right";
        let shown = name;
        while (shown.length > 2 && context.measureText(shown).width > 96)
            shown = shown.slice(0, -2).trimEnd() + "\u2026";
        context.fillText(shown, unit.x + (last ? 1 : -1) * (unit.size / 2 + 8), unit.y + 4);
    }

    private point(event: PointerEvent): void {
        const bounds = this.canvas.getBoundingClientRect();
        const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
        const hit = this.places.flatMap(place => place.units)
            .find(unit => Math.abs(unit.x - x) <= unit.size / 2 + 3 && Math.abs(unit.y - y) <= unit.size / 2 + 3);
        this.choose(hit ?? null);
    }

    private key(event: KeyboardEvent): void {
        const at = this.chosen ?? this.places[1]?.units[0];
        if (!at)
            return;
        if (event.key === "Enter" && at.column > 0)
            this.onChosenLayer(this.net!.layers[at.column - 1]!.name);
        const move = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
        if (event.key === "Escape")
            this.choose(null);
        if (!move)
            return;
        event.preventDefault();
        const column = Math.min(this.places.length - 1, Math.max(0, at.column + (this.chosen ? move[0]! : 0)));
        const units = this.places[column]!.units;
        const index = Math.min(units.length - 1, Math.max(0, at.index + (this.chosen ? move[1]! : 0)));
        this.choose(units[index] ?? null);
        say(this.wordsOf(units[index]!));
    }

    private choose(unit: Unit | null): void {
        if (this.chosen === unit || (unit && this.touches(unit)))
            return;
        this.chosen = unit;
        this.canvas.style.cursor = unit && unit.column > 0 ? "pointer" : "";
        this.draw();
    }

    private describe(): void {
        const net = this.net!;
        const hidden = this.places.filter((place, c) => place.all > place.units.length && !this.isPicture(c));
        const note = hidden.map(place => `${place.units.length} of ${whole(place.all)} ${place.title === "inputs" ? "inputs" : `units of ${place.title}`}`);
        setText(byId("net-note"), note.length > 0 ? `Drawn are ${note.join(", ")}; below stand all.` : "");
        setText(byId("net-readout"), this.chosen ? this.wordsOf(this.chosen)
            : "Orange is positive, blue negative; a line is the thicker, the larger its weight; a unit without a picture shows its bias. "
                + "Point at a unit, or choose one by arrow keys.");
        this.canvas.setAttribute("aria-label", `The net at epoch ${net.epoch}: ${net.layers[0]?.inputs ?? 0} inputs, then `
            + net.layers.map(layer => `${layer.name} of ${layer.units} units (${layer.words})`).join(", ")
            + ". Arrow keys choose a unit, Enter shows its layer.");
    }

    private wordsOf(unit: Unit): string {
        if (unit.column === 0)
            return this.isPicture(0) ? "The picture." : `Input ${this.inputName(unit.index)}.`;
        const layer = this.net!.layers[unit.column - 1]!;
        let words = `${layer.name}, unit ${unit.index + 1}`;
        if (layer.bias)
            words += `: bias ${short(valueAt(layer.bias, unit.index))}`;
        const weights = layer.weights;
        if (weights && this.isDense(unit.column) && unit.index < weights.first + weights.units) {
            const all = Array.from({length: layer.inputs}, (_x, i) => ({i, w: valueAt(weights, i * weights.units + unit.index - weights.first)}));
            const strong = all.sort((a, b) => Math.abs(b.w) - Math.abs(a.w)).slice(0, 3);
            words += "; strongest weights " + strong.map(({i, w}) =>
                `${short(w)} from ${unit.column === 1 ? this.inputName(i) : `unit ${i + 1}`}`).join(", ");
        }
        return words + ".";
    }
}
