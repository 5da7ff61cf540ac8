// One chart of the walk by uPlot: lines over steps, with a cursor and a stretch that all charts share.
import uPlot from "uplot";
import {css, theme, type Rgb} from "./colour";
import {short} from "./format";

export interface Line {
    label: string;
    colour: Rgb;
    width: number;
    dash?: number[];
    alpha?: number;
    /** A branch that was walked in vain: its values don't stretch the axis. */
    aside?: boolean;
}

export interface Mark {
    step: number;
    kind: "back" | "fall" | "at";
}

export interface ChartOptions {
    label: string;
    height: number;
    lines: Line[];
    log: boolean;
    axis: boolean;
    marks(): Mark[];
    moved(row: number | null): void;
    stretched(from: number, to: number): void;
}

const SYNC = "walk";
const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

export class Chart {
    readonly plot: uPlot;
    readonly root: HTMLElement;

    constructor(root: HTMLElement, private readonly options: ChartOptions, data: uPlot.AlignedData) {
        this.root = root;
        this.plot = new uPlot(this.settings(), data, root);
        this.plot.root.setAttribute("aria-hidden", "true");
    }

    destroy(): void {
        this.plot.destroy();
    }

    resize(width: number): void {
        if (width > 0 && Math.round(width) !== this.plot.width)
            this.plot.setSize({width: Math.round(width), height: this.options.height});
    }

    /** New data; the stretch in sight stays if there is one. */
    setData(data: uPlot.AlignedData, stretch: [number, number] | null): void {
        this.plot.batch(() => {
            this.plot.setData(data, stretch === null);
            if (stretch)
                this.plot.setScale("x", {min: stretch[0], max: stretch[1]});
        });
    }

    private settings(): uPlot.Options {
        const o = this.options;
        return {
            width: Math.max(50, this.root.clientWidth),
            height: o.height,
            pxAlign: 1,
            padding: [8, 14, o.axis ? 0 : 4, 0],
            legend: {show: false},
            cursor: {
                sync: {key: SYNC, scales: ["x", null]},
                drag: {x: true, y: false, dist: 6},
                focus: {prox: -1},
                points: {size: 7},
            },
            scales: {
                x: {time: false},
                y: {distr: o.log ? 3 : 1, range: (_plot, low, high) => this.range(low, high)},
            },
            axes: [this.xAxis(), this.yAxis()],
            series: [{label: "step"}, ...o.lines.map(line => this.series(line))],
            hooks: {
                drawClear: [plot => this.drawMarks(plot, false)],
                draw: [plot => this.drawMarks(plot, true)],
                setCursor: [plot => o.moved(plot.cursor.idx ?? null)],
                setScale: [(plot, key) => {
                    const {min, max} = plot.scales[key]!;
                    if (key === "x" && typeof min === "number" && typeof max === "number")
                        o.stretched(min, max);
                }],
            },
        };
    }

    private series(line: Line): uPlot.Series {
        return {
            label: line.label,
            scale: "y",
            stroke: css(line.colour, line.alpha ?? 1),
            width: line.width,
            spanGaps: true,
            points: {show: plot => plot.data[0].length < 3},
            auto: !line.aside,
            ...(line.dash ? {dash: line.dash} : {}),
        };
    }

    private range(low: number | null, high: number | null): uPlot.Range.MinMax {
        if (low === null || high === null)
            return this.options.log ? [0.1, 1] : [0, 1];
        if (this.options.log)
            return uPlot.rangeLog(low, low === high ? high * 10 : high, 10, false) as uPlot.Range.MinMax;
        // A cost has a foot: zero is in sight unless that would flatten the line.
        const foot = low >= 0 && low < 0.5 * high ? 0 : low - 0.08 * (high - low);
        return high === low ? [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1] : [foot, high + 0.05 * (high - foot)];
    }

    private xAxis(): uPlot.Axis {
        const {quiet, line} = theme();
        return {
            show: this.options.axis,
            stroke: quiet, font: FONT, size: 26, gap: 4, space: 70,
            grid: {stroke: line, width: 1}, ticks: {show: false},
            values: (_plot, values) => values.map(compact),
        };
    }

    private yAxis(): uPlot.Axis {
        const {quiet, line} = theme();
        return {
            stroke: quiet, font: FONT, size: 50, gap: 4, space: this.options.axis ? 34 : 26,
            // A line a decade is enough.
            grid: {stroke: line, width: 1, ...(this.options.log ? {filter: decades} : {})}, ticks: {show: false},
            values: (_plot, values) => values.map(value => (value === null ? "" : compact(value))),
        };
    }

    private drawMarks(plot: uPlot, above: boolean): void {
        const {ctx, bbox} = plot;
        const sharp = uPlot.pxRatio;
        const colours = theme();
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        for (const mark of this.options.marks()) {
            if ((mark.kind === "at") !== above)
                continue;
            const x = Math.min(Math.round(plot.valToPos(mark.step, "x", true)) + 0.5, bbox.left + bbox.width - sharp);
            ctx.strokeStyle = mark.kind === "at" ? colours.ink : css(colours.orange, mark.kind === "fall" ? 1 : 0.7);
            ctx.lineWidth = sharp * (mark.kind === "fall" ? 2 : 1);
            ctx.setLineDash(mark.kind !== "back" ? [] : [3 * sharp, 3 * sharp]);
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
        }
        ctx.restore();
    }
}

function decades(_plot: uPlot, splits: number[]): (number | null)[] {
    return splits.map(value => (Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-6 ? value : null));
}

function compact(value: number): string {
    const size = Math.abs(value);
    if (size >= 1e6)
        return short(value / 1e6) + "M";
    if (size > 0 && size < 1e-3)
        return value.toExponential(2).replace(/\.?0+e/, "e").replace("e-", "e\u2212");
    return size >= 1e4 ? short(value / 1e3) + "k" : short(value);
}
