// Numbers: what was answered against what is true, and how far off the answers are.
import {css, onTheme, theme} from "./colour";
import {byId, fit, painter, setText} from "./dom";
import {count, short} from "./format";

const BINS = 33;
const HEIGHT = 260;
const EDGE = {left: 48, bottom: 30, top: 8, right: 8};

export class Scatter {
    private pairs: [number, number][] = [];
    private rows = 0;
    private target = "";
    private readonly draw = painter(() => this.paint());

    constructor() {
        new ResizeObserver(this.draw).observe(byId("scatter-part"));
        onTheme(this.draw);
    }

    show(pairs: [number, number][], rows: number, target: string): void {
        this.pairs = pairs.filter(([truth, answer]) => Number.isFinite(truth) && Number.isFinite(answer));
        this.rows = rows;
        this.target = target;
        this.draw();
    }

    private paint(): void {
        if (this.pairs.length === 0)
            return;
        this.paintScatter(byId<HTMLCanvasElement>("scatter-canvas"));
        this.paintResiduals(byId<HTMLCanvasElement>("residual-canvas"));
        setText(byId("scatter-note"), this.pairs.length < this.rows ? `${count(this.pairs.length, "row")} shown of ${count(this.rows, "row")}.` : "");
    }

    private paintScatter(canvas: HTMLCanvasElement): void {
        const width = canvas.parentElement!.clientWidth;
        if (width < 60)
            return;
        const context = fit(canvas, width, HEIGHT);
        let [low, high] = [Infinity, -Infinity];
        for (const [truth, answer] of this.pairs) {
            low = Math.min(low, truth, answer);
            high = Math.max(high, truth, answer);
        }
        const span = high - low || 1;
        const x = (value: number) => EDGE.left + (width - EDGE.left - EDGE.right) * (value - low) / span;
        const y = (value: number) => HEIGHT - EDGE.bottom - (HEIGHT - EDGE.top - EDGE.bottom) * (value - low) / span;
        context.strokeStyle = theme().quiet;
        context.setLineDash([4, 4]);
        context.beginPath();
        context.moveTo(x(low), y(low));
        context.lineTo(x(high), y(high));
        context.stroke();
        context.setLineDash([]);
        context.fillStyle = css(theme().blue, this.pairs.length > 500 ? 0.35 : 0.6);
        for (const [truth, answer] of this.pairs) {
            context.beginPath();
            context.arc(x(truth), y(answer), 2.5, 0, 2 * Math.PI);
            context.fill();
        }
        axes(context, width, [low, high], [low, high], `true ${this.target}`, "answer");
        canvas.setAttribute("aria-label", `Answers against the truth, ${count(this.pairs.length, "row")}, from ${short(low)} to ${short(high)}; `
            + "on the dashed line both are the same");
    }

    private paintResiduals(canvas: HTMLCanvasElement): void {
        const width = canvas.parentElement!.clientWidth;
        if (width < 60)
            return;
        const off = this.pairs.map(([truth, answer]) => answer - truth);
        const reach = off.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
        const counts = new Array<number>(BINS).fill(0);
        for (const x of off)
            counts[Math.min(BINS - 1, Math.floor((x + reach) / (2 * reach) * BINS))]!++;
        const most = Math.max(...counts);
        const context = fit(canvas, width, HEIGHT);
        const {blue, orange} = theme();
        const each = (width - EDGE.left - EDGE.right) / BINS;
        counts.forEach((n, i) => {
            const height = (HEIGHT - EDGE.top - EDGE.bottom) * n / most;
            const middle = Math.abs(i - (BINS - 1) / 2) < 0.5;
            context.fillStyle = middle ? theme().quiet : css(i < BINS / 2 ? blue : orange, 0.85);
            context.fillRect(EDGE.left + i * each + 0.5, HEIGHT - EDGE.bottom - height, each - 1, height);
        });
        axes(context, width, [-reach, reach], [0, most], "answer less truth", "rows");
        const sorted = [...off].sort((a, b) => a - b);
        const mean = off.reduce((sum, x) => sum + x, 0) / off.length;
        canvas.setAttribute("aria-label", `How far off the answers are: mean ${short(mean)}, median ${short(sorted[sorted.length >> 1])}, `
            + `from ${short(sorted[0])} to ${short(sorted[sorted.length - 1])}`);
        setText(byId("residual-note"), `Mean ${short(mean)}, median ${short(sorted[sorted.length >> 1])}, from ${short(sorted[0])} to `
            + `${short(sorted[sorted.length - 1])}.`);
    }
}

function axes(context: CanvasRenderingContext2D, width: number, x: [number, number], y: [number, number], across: string, up: string): void {
    const {quiet, line} = theme();
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(EDGE.left + 0.5, EDGE.top);
    context.lineTo(EDGE.left + 0.5, HEIGHT - EDGE.bottom + 0.5);
    context.lineTo(width - EDGE.right, HEIGHT - EDGE.bottom + 0.5);
    context.stroke();
    context.fillStyle = quiet;
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText(short(x[0]), EDGE.left, HEIGHT - EDGE.bottom + 14);
    context.textAlign = "right";
    context.fillText(short(x[1]), width - EDGE.right, HEIGHT - EDGE.bottom + 14);
    context.fillText(short(y[1]), EDGE.left - 5, EDGE.top + 9);
    context.fillText(short(y[0]), EDGE.left - 5, HEIGHT - EDGE.bottom);
    context.textAlign = "center";
    context.fillText(across, (EDGE.left + width - EDGE.right) / 2, HEIGHT - EDGE.bottom + 25);
    context.save();
    context.translate(11, (EDGE.top + HEIGHT - EDGE.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(up, 0, 0);
    context.restore();
}
