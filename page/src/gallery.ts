// The gallery: every unit of one layer, as what it answers over the map, as the picture that it looks for, or as a row of weights.
import {valueAt} from "./bytes";
import {onTheme, theme} from "./colour";
import type {At, Layer, MapDocument, NetDocument, Weights} from "./documents";
import {byId, choice, fit, painter, setText, show} from "./dom";
import {count, short, whole} from "./format";
import {mapPicture, mapsOf, matrixPicture, weightPicture} from "./picture";
import type {Source} from "./source";
import {look, lookAt, onLook} from "./state";

// Units that are drawn before somebody asks for all.
const FIRST = 64;

export class Gallery {
    private net: NetDocument | null = null;
    private map: MapDocument | null = null;
    private all = false;
    private more: {epoch: number; layer: string; parts: Weights[]} | null = null;
    private readonly canvas = byId<HTMLCanvasElement>("gallery-canvas");
    private readonly draw = painter(() => this.paint());
    private select: HTMLSelectElement | null = null;
    private at: ((x: number, y: number) => string) | null = null;

    constructor(private readonly source: Source) {
        byId("gallery-all").addEventListener("click", () => void this.showAll());
        this.canvas.addEventListener("pointermove", event => {
            const bounds = this.canvas.getBoundingClientRect();
            this.say(this.at?.(event.clientX - bounds.left, event.clientY - bounds.top) ?? "");
        });
        this.canvas.addEventListener("pointerleave", () => this.say(""));
        new ResizeObserver(this.draw).observe(byId("gallery-frame"));
        onLook((_now, changed) => {
            if (changed.has("layer") || changed.has("at")) {
                this.more = null;
                this.all = this.all && !changed.has("layer");
                if (this.select && look.layer)
                    this.select.value = look.layer;
                if (this.all)
                    void this.showAll();
                this.draw();
            }
        });
        onTheme(this.draw);
    }

    show(net: NetDocument): void {
        if (!this.net) {
            const names = net.layers.map((layer): [string, string] => [layer.name, `${layer.name}: ${layer.words}`]);
            const made = choice("Layer", names, this.layerOf(net).name, layer => lookAt({layer}));
            this.select = made.select;
            byId("gallery-choices").prepend(made.root);
        }
        this.net = net;
        this.draw();
    }

    showMap(map: MapDocument): void {
        this.map = map;
        this.draw();
    }

    private layerOf(net: NetDocument): Layer {
        return net.layers.find(layer => layer.name === look.layer) ?? net.layers[0]!;
    }

    private say(words: string): void {
        setText(byId("gallery-readout"), words || "Point at a unit to read it.");
    }

    /** Asks for what the net's document had no room for. */
    private async showAll(): Promise<void> {
        this.all = true;
        const net = this.net!, layer = this.layerOf(net);
        const at: At = look.at;
        const more = {epoch: net.epoch, layer: layer.name, parts: [] as Weights[]};
        let next = layer.weights ? layer.weights.first + layer.weights.units : layer.units;
        this.draw();
        try {
            while (next < layer.units && look.at === at) {
                const part = await this.source.layer(at, net.layers.indexOf(layer), next);
                if (part.units === 0)
                    break;
                more.parts.push(part);
                next = part.first + part.units;
                this.more = more;
                this.draw();
            }
        } catch (error) {
            setText(byId("gallery-note"), (error as Error).message);
        }
    }

    private weightsOf(layer: Layer): Weights[] {
        const more = this.more?.layer === layer.name ? this.more.parts : [];
        return layer.weights ? [layer.weights, ...more] : [];
    }

    private paint(): void {
        if (!this.net)
            return;
        const layer = this.layerOf(this.net);
        const width = byId("gallery-frame").clientWidth;
        if (width < 60 || !layer)
            return;
        const maps = mapsOf(this.map, layer, layer === this.net.layers[this.net.layers.length - 1]);
        const parts = this.weightsOf(layer);
        const here = maps.length > 0 ? maps.length : layer.weights ? layer.weights.first + layer.weights.units : layer.units;
        const shown = this.all ? layer.units : Math.min(here, FIRST);
        const pictures: (HTMLCanvasElement | null)[] = [];
        for (let unit = 0; unit < shown; unit++) {
            const map = maps[unit];
            const part = parts.find(one => unit >= one.first && unit < one.first + one.units);
            pictures.push(map ? mapPicture(map, this.map!.width, this.map!.height)
                : layer.picture && part ? weightPicture(layer, part, unit) : null);
        }
        if (pictures.some(picture => picture !== null))
            this.tiles(layer, pictures, width, maps.length > 0);
        else if (layer.weights)
            this.matrix(layer, layer.weights, width);
        else
            fit(this.canvas, width, 1);
        const missing = pictures.filter(picture => picture === null).length;
        const known = pictures.length - missing;
        show(byId("gallery-all"), !this.all && shown < layer.units);
        setText(byId("gallery-all"), `Show all ${whole(layer.units)} units`);
        setText(byId("gallery-note"), `${whole(known || shown)} of ${count(layer.units, "unit")}`
            + (maps.length > 0 ? ", each as what it answers over the two columns of the map" : layer.picture ? ", each as the picture that it looks for" : "")
            + (this.more && this.more.layer === layer.name ? `; those from ${this.more.parts[0]?.first ?? 0} on as of epoch ${this.more.epoch}` : "") + ".");
    }

    private tiles(layer: Layer, pictures: (HTMLCanvasElement | null)[], width: number, smooth: boolean): void {
        const size = width < 420 ? 48 : pictures.length > 128 ? 44 : 60;
        const across = Math.max(1, Math.floor((width + 6) / (size + 6)));
        const rows = Math.ceil(pictures.length / across);
        const context = fit(this.canvas, width, rows * (size + 6));
        context.imageSmoothingEnabled = smooth;
        pictures.forEach((picture, i) => {
            const [x, y] = [(i % across) * (size + 6), Math.floor(i / across) * (size + 6)];
            context.fillStyle = theme().line;
            context.fillRect(x, y, size, size);
            if (picture)
                context.drawImage(picture, x, y, size, size);
        });
        this.at = (x, y) => {
            const unit = Math.floor(y / (size + 6)) * across + Math.floor(x / (size + 6));
            return unit >= 0 && unit < pictures.length ? `${layer.name}, unit ${unit + 1}`
                + (layer.bias ? `: bias ${short(valueAt(layer.bias, unit))}` : "") : "";
        };
        this.label(layer);
    }

    private matrix(layer: Layer, weights: Weights, width: number): void {
        const cell = Math.max(1, Math.min(22, width / weights.inputs));
        const across = Math.min(width, weights.inputs * cell);
        const height = Math.min(420, Math.max(20, weights.units * Math.max(3, Math.min(18, cell))));
        const context = fit(this.canvas, width, height);
        context.imageSmoothingEnabled = false;
        context.drawImage(matrixPicture(weights), 0, 0, across, height);
        this.at = (x, y) => {
            const [input, unit] = [Math.floor(x / across * weights.inputs), Math.floor(y / height * weights.units)];
            return input < 0 || input >= weights.inputs || unit < 0 || unit >= weights.units ? ""
                : `${layer.name}: input ${input + 1}, unit ${unit + 1 + weights.first}: ${short(valueAt(weights, input * weights.units + unit))}`;
        };
        this.label(layer);
    }

    private label(layer: Layer): void {
        this.canvas.setAttribute("aria-label", `Units of ${layer.name} (${layer.words}); the table above tells how their weights and answers are spread`);
    }
}
