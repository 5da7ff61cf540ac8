// The map: what the model answers over two columns, with the rows that it learned from.
import {bytesOf} from "./bytes";
import {classColour, css, diverging, mix, onTheme, sequential, theme, traceShape, type Rgb} from "./colour";
import type {Axis, MapDocument, RunDocument} from "./documents";
import {byId, choice, el, fit, painter, say, setText, show} from "./dom";
import {count, percent, short} from "./format";
import {look, lookAt} from "./state";

// Pixels a side of the picture that is stretched over the map.
const FINE = 176;
const MARGIN = {left: 58, bottom: 36, top: 6, right: 6};

/** Where a pixel looks on the grid: between two cells, or in one where the column has values and not a range. */
function steps(cells: number, axis: Axis, flip: boolean): {low: Uint16Array; high: Uint16Array; part: Float32Array} {
    const made = {low: new Uint16Array(FINE), high: new Uint16Array(FINE), part: new Float32Array(FINE)};
    for (let i = 0; i < FINE; i++) {
        const at = ((flip ? FINE - 1 - i : i) + 0.5) / FINE;
        const place = axis.values ? Math.min(cells - 1, Math.floor(at * cells)) : at * (cells - 1);
        made.low[i] = Math.floor(place);
        made.high[i] = Math.min(cells - 1, made.low[i]! + 1);
        made.part[i] = place - made.low[i]!;
    }
    return made;
}

/** Where a value of a column lies, 0 to 1. */
function placeOf(axis: Axis, value: number): number {
    return axis.values ? (value + 0.5) / axis.values.length : (value - axis.low) / (axis.high - axis.low || 1);
}

/** As few digits as the axis needs. */
function tick(value: number, axis: Axis): string {
    const places = Math.ceil(-Math.log10(axis.high - axis.low || 1)) + 2;
    return short(Number(value.toFixed(Math.min(12, Math.max(0, places)))));
}

export class MapPanel {
    private map: MapDocument | null = null;
    private readonly canvas = byId<HTMLCanvasElement>("map-canvas");
    private readonly small = el("canvas", {width: FINE, height: FINE});
    private readonly draw = painter(() => this.paint());
    private cross: [number, number] | null = null;
    private legend = "";

    constructor(private readonly run: RunDocument, private readonly pairs: [string, string][] | null) {
        const names = run.columns.filter(column => column.kind !== "image").map(column => column.name);
        const first = pairs?.[0] ?? [names[0] ?? "", names[1] ?? ""];
        if (look.x === null || look.y === null || !names.includes(look.x) || !names.includes(look.y) || !this.has(look.x, look.y))
            lookAt({x: first[0], y: first[1]});
        const options = names.map((name): [string, string] => [name, name]);
        const choices = byId("map-choices");
        const x = choice("Across", this.only(options, 0), look.x!, value => this.choose(0, value));
        const y = choice("Up", this.only(options, 1), look.y!, value => this.choose(1, value));
        choices.append(x.root, y.root);
        if (run.columns_left_out)
            choices.append(el("p", {class: "note", text: `${count(run.columns_left_out, "column")} more can't be chosen.`}));
        this.canvas.addEventListener("pointermove", event => this.point(event));
        this.canvas.addEventListener("pointerleave", () => this.setCross(null));
        this.canvas.addEventListener("keydown", event => this.key(event));
        this.canvas.addEventListener("blur", () => this.setCross(null));
        new ResizeObserver(this.draw).observe(byId("map-frame"));
        onTheme(() => {
            this.legend = "";
            this.draw();
        });
    }

    private has(x: string, y: string): boolean {
        return !this.pairs || this.pairs.some(pair => pair[0] === x && pair[1] === y);
    }

    private only(options: [string, string][], side: 0 | 1): [string, string][] {
        return this.pairs ? options.filter(([name]) => this.pairs!.some(pair => pair[side] === name)) : options;
    }

    /** Both the same says nothing: then they change places. A report has some pairs only: then one with what was chosen. */
    private choose(side: 0 | 1, name: string): void {
        const before: [string, string] = [look.x!, look.y!];
        let pair: [string, string] = side === 0 ? [name, before[1]] : [before[0], name];
        if (pair[0] === pair[1])
            pair = [before[1], before[0]];
        if (!this.has(...pair))
            pair = this.pairs!.find(one => one[side] === name) ?? before;
        lookAt({x: pair[0], y: pair[1]});
        const [across, up] = byId("map-choices").querySelectorAll("select");
        across!.value = pair[0];
        up!.value = pair[1];
    }

    show(map: MapDocument): void {
        this.map = map;
        show(byId("map-frame"), true);
        setText(byId("map-problem"), "");
        this.draw();
    }

    fail(words: string): void {
        setText(byId("map-problem"), words);
        if (!this.map)
            show(byId("map-frame"), false);
    }

    private paint(): void {
        const map = this.map;
        const width = byId("map-frame").clientWidth;
        if (!map || width < 60)
            return;
        const height = Math.min(width, 540);
        const context = fit(this.canvas, width, height);
        const box = {x: MARGIN.left, y: MARGIN.top, w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom};
        this.paintField(map);
        context.imageSmoothingEnabled = true;
        context.imageSmoothingQuality = "high";
        context.drawImage(this.small, box.x, box.y, box.w, box.h);
        this.paintPoints(context, map, box);
        this.paintAxes(context, map, box);
        if (this.cross)
            this.paintCross(context, box);
        this.describe(map);
    }

    /** The colours of every pixel, from the outputs between the grid's points. */
    private paintField(map: MapDocument): void {
        const context = this.small.getContext("2d")!;
        const image = context.createImageData(FINE, FINE);
        const across = steps(map.width, map.x, false), up = steps(map.height, map.y, true);
        const fields = map.outputs.map(output => ({output, bytes: bytesOf(output), scale: (output.high - output.low) / 255}));
        const colour = this.colouring(map);
        const values = new Float32Array(fields.length);
        for (let j = 0, p = 0; j < FINE; j++) {
            const [r0, r1, v] = [up.low[j]! * map.width, up.high[j]! * map.width, up.part[j]!];
            for (let i = 0; i < FINE; i++, p += 4) {
                const [c0, c1, u] = [across.low[i]!, across.high[i]!, across.part[i]!];
                for (let k = 0; k < fields.length; k++) {
                    const {bytes, scale, output} = fields[k]!;
                    const low = bytes[r0 + c0]! * (1 - u) + bytes[r0 + c1]! * u;
                    const high = bytes[r1 + c0]! * (1 - u) + bytes[r1 + c1]! * u;
                    values[k] = output.low + scale * (low * (1 - v) + high * v);
                }
                const [r, g, b] = colour(values);
                image.data[p] = r;
                image.data[p + 1] = g;
                image.data[p + 2] = b;
                image.data[p + 3] = 255;
            }
        }
        context.putImageData(image, 0, 0);
    }

    /** How the outputs at one place become a colour. */
    private colouring(map: MapDocument): (values: Float32Array) => Rgb {
        if (this.run.task === "numbers") {
            const [low, high] = this.span(map);
            const table = Array.from({length: 256}, (_x, i) => sequential(i / 255));
            return values => table[Math.max(0, Math.min(255, Math.round(255 * (values[0]! - low) / (high - low || 1))))]!;
        }
        const classes = Math.max(2, map.outputs.length);
        if (classes === 2) {
            const last = map.outputs.length - 1;
            const table = Array.from({length: 256}, (_x, i) => mix(theme().neutral, diverging(i < 127.5 ? -1 : 1),
                0.62 * Math.abs(i / 127.5 - 1) ** 0.8));
            return values => table[Math.max(0, Math.min(255, Math.round(255 * values[last]!)))]!;
        }
        const tables = map.outputs.map((_output, k) => Array.from({length: 65}, (_x, i) => mix(theme().neutral, classColour(k), 0.6 * i / 64)));
        return values => {
            let best = 0;
            for (let k = 1; k < values.length; k++)
                if (values[k]! > values[best]!)
                    best = k;
            const sure = (values[best]! - 1 / classes) / (1 - 1 / classes);
            return tables[best]![Math.max(0, Math.min(64, Math.round(64 * sure)))]!;
        };
    }

    /** Of numbers: what the colours span, the answers and the rows' own targets. */
    private span(map: MapDocument): [number, number] {
        const output = map.outputs[0]!;
        let [low, high] = [output.low, output.high];
        for (const point of map.points) {
            low = Math.min(low, point[2]);
            high = Math.max(high, point[2]);
        }
        return [low, high];
    }

    private paintPoints(context: CanvasRenderingContext2D, map: MapDocument, box: {x: number; y: number; w: number; h: number}): void {
        const numbers = this.run.task === "numbers";
        const [low, high] = numbers ? this.span(map) : [0, 1];
        const size = map.points.length > 250 ? 3 : 4;
        context.lineWidth = 1.25;
        map.points.forEach(([px, py, target], i) => {
            // Values of categories lie on one spot: they are shaken, always in the same way.
            const shake = (axis: Axis, salt: number) => (axis.values ? ((i * salt % 101) / 101 - 0.5) * 0.6 / axis.values.length : 0);
            const x = box.x + box.w * (placeOf(map.x, px) + shake(map.x, 37));
            const y = box.y + box.h * (1 - placeOf(map.y, py) - shake(map.y, 61));
            const colour = numbers ? sequential((target - low) / (high - low || 1)) : this.classOf(target);
            context.beginPath();
            traceShape(context, numbers ? 0 : target, x, y, size);
            context.fillStyle = css(colour);
            context.strokeStyle = theme().dark ? "#101316" : "#ffffff";
            context.fill();
            context.stroke();
        });
    }

    private classOf(target: number): Rgb {
        const two = (this.run.classes?.length ?? 2) <= 2;
        return two ? (target > 0 ? theme().orange : theme().blue) : classColour(target);
    }

    private paintAxes(context: CanvasRenderingContext2D, map: MapDocument, box: {x: number; y: number; w: number; h: number}): void {
        const {quiet} = theme();
        context.fillStyle = quiet;
        context.font = "11px system-ui, sans-serif";
        const cut = (text: string, room: number) => {
            let shown = text;
            while (shown.length > 2 && context.measureText(shown).width > room)
                shown = shown.slice(0, -2).trimEnd() + "\u2026";
            return shown;
        };
        const ticks = (axis: Axis, room: number): [number, string][] => {
            if (!axis.values)
                return [0, 0.5, 1].map(p => [p, tick(axis.low + p * (axis.high - axis.low), axis)]);
            const every = Math.ceil(axis.values.length / Math.max(1, Math.floor(room / 46)));
            return axis.values.map((text, i): [number, string] => [(i + 0.5) / axis.values!.length, text])
                .filter((_tick, i) => i % every === 0);
        };
        for (const [at, text] of ticks(map.x, box.w)) {
            context.textAlign = map.x.values || at === 0.5 ? "center" : at === 0 ? "left" : "right";
            context.fillText(cut(text, 60), box.x + at * box.w, box.y + box.h + 14);
        }
        context.textAlign = "right";
        for (const [at, text] of ticks(map.y, box.h))
            context.fillText(cut(text, 42), box.x - 5, box.y + box.h * (1 - at) + (at === 0 && !map.y.values ? 0 : at === 1 ? 9 : 4));
        context.textAlign = "center";
        context.fillText(cut(map.x.name, box.w), box.x + box.w / 2, box.y + box.h + 29);
        context.save();
        context.translate(11, box.y + box.h / 2);
        context.rotate(-Math.PI / 2);
        context.fillText(cut(map.y.name, box.h), 0, 0);
        context.restore();
    }

    private paintCross(context: CanvasRenderingContext2D, box: {x: number; y: number; w: number; h: number}): void {
        const [u, v] = this.cross!;
        context.strokeStyle = theme().ink;
        context.lineWidth = 1;
        context.beginPath();
        context.arc(box.x + u * box.w, box.y + (1 - v) * box.h, 6, 0, 2 * Math.PI);
        context.stroke();
    }

    private point(event: PointerEvent): void {
        const bounds = this.canvas.getBoundingClientRect();
        const u = (event.clientX - bounds.left - MARGIN.left) / (bounds.width - MARGIN.left - MARGIN.right);
        const v = 1 - (event.clientY - bounds.top - MARGIN.top) / (bounds.height - MARGIN.top - MARGIN.bottom);
        this.setCross(u >= 0 && u <= 1 && v >= 0 && v <= 1 ? [u, v] : null);
    }

    private key(event: KeyboardEvent): void {
        const move = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
        if (!move)
            return;
        event.preventDefault();
        const [u, v] = this.cross ?? [0.5, 0.5];
        const stride = event.shiftKey ? 0.1 : 0.02;
        const within = (x: number) => Math.min(1, Math.max(0, x));
        this.setCross([within(u + move[0]! * stride), within(v + move[1]! * stride)]);
        requestAnimationFrame(() => say(byId("map-readout").textContent ?? ""));
    }

    private setCross(cross: [number, number] | null): void {
        this.cross = cross;
        this.draw();
    }

    private valueHere(axis: Axis, at: number): string {
        return axis.values ? axis.values[Math.min(axis.values.length - 1, Math.floor(at * axis.values.length))]!
            : short(axis.low + at * (axis.high - axis.low));
    }

    /** In words: what lies under the cross, what is held fast, what was left out, what colours mean. */
    private describe(map: MapDocument): void {
        let words = "Point at the map, or move over it by arrow keys, to read it.";
        if (this.cross) {
            const [u, v] = this.cross;
            const index = (axis: Axis, cells: number, at: number) =>
                (axis.values ? Math.min(cells - 1, Math.floor(at * cells)) : Math.round(at * (cells - 1)));
            const cell = index(map.y, map.height, v) * map.width + index(map.x, map.width, u);
            const said = map.outputs.map(output => ({name: output.name,
                value: output.low + bytesOf(output)[cell]! * (output.high - output.low) / 255})).sort((a, b) => b.value - a.value);
            words = `${map.x.name} ${this.valueHere(map.x, u)}, ${map.y.name} ${this.valueHere(map.y, v)}: `
                + said.slice(0, 3).map(({name, value}) => `${name} ${this.run.task === "classes" ? percent(value) : short(value)}`).join(", ");
        }
        setText(byId("map-readout"), words);
        const more: string[] = [];
        if (map.fixed.length > 0)
            more.push("All else held at " + map.fixed.slice(0, 8).map(({name, value}) => `${name} = ${value}`).join(", ")
                + (map.fixed.length > 8 ? ` and ${map.fixed.length - 8} more` : "") + ".");
        const left = map.left_out?.points ?? 0;
        if (left > 0)
            more.push(`${count(map.points.length, "row")} shown, ${count(left, "row")} not.`);
        setText(byId("map-note"), more.join(" "));
        this.canvas.setAttribute("aria-label", `Map of ${this.run.target} over ${map.x.name} and ${map.y.name} at epoch ${map.epoch}, `
            + `with ${count(map.points.length, "row")}. Arrow keys move a cross over it; what lies there is said below.`);
        this.describeColours(map);
    }

    private describeColours(map: MapDocument): void {
        const numbers = this.run.task === "numbers";
        const [low, high] = numbers ? this.span(map) : [0, 0];
        const told = JSON.stringify(numbers ? [short(low), short(high)] : this.run.classes);
        if (told === this.legend)
            return;
        this.legend = told;
        const items = numbers
            ? [0, 0.25, 0.5, 0.75, 1].map(p => this.entry(0, sequential(p), short(low + p * (high - low))))
            : (this.run.classes ?? []).slice(0, 24).map((name, k) => this.entry(k, this.classOf(k), name));
        if ((this.run.classes?.length ?? 0) > 24)
            items.push(el("li", {text: `and ${this.run.classes!.length - 24} more`}));
        byId("map-legend").replaceChildren(...items);
    }

    private entry(shape: number, colour: Rgb, name: string): HTMLLIElement {
        const icon = el("canvas", {"aria-hidden": true});
        const context = fit(icon, 14, 14);
        context.beginPath();
        traceShape(context, shape, 7, 7, 5);
        context.fillStyle = css(colour);
        context.fill();
        return el("li", {}, icon, el("span", {text: name}));
    }
}
