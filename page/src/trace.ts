// The walk that a trace tells of: its lines as columns, what was walked in vain apart.
//
// Invariant: steps grow. A way back cuts off what lay behind it into a branch; after a step that was no finite number nothing
// is added until there is a way back, so that what is drawn is the last finite walk. The log of a long run tells of few steps: what a
// live run says of itself between them are glances, rows without norms.
import type {StateDocument} from "./documents";

export interface Back {
    step: number;
    to: number;
    rate: number;
    reason: string;
}

export interface Fall {
    step: number;
    rate: number | null;
    message: string;
}

type Value = number | null;

export interface Columns {
    step: number[];
    epoch: number[];
    cost: Value[];
    train: Value[];
    valid: Value[];
    accuracy: Value[];
    rate: Value[];
    gradient: Value[];
    length: Value[];
    speed: Value[];
}

// Glances that are kept: over them every second one is forgotten.
const GLANCES = 2000;

interface Line {
    rollback?: number;
    stopped?: string;
    control?: string;
    step?: number;
    epoch?: number;
    to?: number;
    rate?: Value;
    reason?: string;
    cost?: Value;
    train_cost?: Value;
    valid_cost?: Value;
    valid_accuracy?: Value;
    gradient_norm?: Value;
    step_norm?: Value;
    seconds?: Value;
}

// Rows over which the speed is an average.
const SPEED_ROWS = 10;

function noColumns(): Columns {
    return {step: [], epoch: [], cost: [], train: [], valid: [], accuracy: [], rate: [], gradient: [], length: [], speed: []};
}

export class Walk {
    columns = noColumns();
    branches: {step: number[]; cost: Value[]}[] = [];
    backs: Back[] = [];
    /** Rates that were set by hand; 0: given back to the schedule. */
    rates: {step: number; rate: number}[] = [];
    fall: Fall | null = null;
    stopped: string | null = null;
    seconds = 0;
    unread = 0;
    ended = false;
    private clock: [number, number][] = [];
    /** Which rows are glances, and how many. */
    private glanced: boolean[] = [];
    private glances = 0;
    private lines: string[] = [];

    /** Only the first lines still hold: what the others told is forgotten. */
    cut(lines: number): void {
        const kept = this.lines.slice(0, lines);
        Object.assign(this, new Walk());
        for (const line of kept)
            this.add(line);
    }

    add(text: string): void {
        this.lines.push(text);
        let line: Line;
        try {
            line = JSON.parse(text) as Line;
        } catch {
            this.unread++;
            return;
        }
        this.seconds = line.seconds ?? this.seconds;
        if (line.rollback !== undefined)
            this.goBack(line);
        else if (line.stopped !== undefined)
            this.stop(line);
        else if (line.control !== undefined)
            this.rates.push({step: line.step ?? 0, rate: line.rate ?? 0});
        else if (line.step !== undefined && !this.fall)
            this.row(line, line.step);
    }

    private row(line: Line, step: number): void {
        const c = this.columns;
        if (line.cost === null || line.cost === undefined || line.gradient_norm === null) {
            this.fall = {step, rate: line.rate ?? null, message: ""};
            return;
        }
        while (this.glanced[c.step.length - 1] && step <= c.step[c.step.length - 1]!)
            this.keep(c.step.length - 1);
        if (c.step.length > 0 && step <= c.step[c.step.length - 1]!)
            return;
        this.glanced.push(false);
        this.clock.push([step, this.seconds]);
        if (this.clock.length > SPEED_ROWS)
            this.clock.shift();
        const [first, last] = [this.clock[0]!, this.clock[this.clock.length - 1]!];
        c.step.push(step);
        c.epoch.push(line.epoch ?? 0);
        c.cost.push(line.cost);
        c.train.push(line.train_cost ?? null);
        c.valid.push(line.valid_cost ?? null);
        c.accuracy.push(line.valid_accuracy ?? null);
        c.rate.push(line.rate ?? null);
        c.gradient.push(line.gradient_norm ?? null);
        c.length.push(line.step_norm ?? null);
        c.speed.push(last[1] > first[1] ? (last[0] - first[0]) / (last[1] - first[1]) : null);
    }

    /** Adds where a live run stands; false where that tells nothing new. */
    glance(state: StateDocument): boolean {
        const c = this.columns, last = c.step[c.step.length - 1] ?? 0;
        if (this.fall || this.ended || typeof state.cost !== "number" || state.step <= last)
            return false;
        if (++this.glances > GLANCES)
            this.thin();
        this.glanced.push(true);
        c.step.push(state.step);
        c.epoch.push(state.epoch);
        c.cost.push(state.cost);
        c.train.push(state.train_cost ?? null);
        c.valid.push(state.valid_cost ?? null);
        c.rate.push(state.rate);
        c.speed.push(state.steps_per_second);
        for (const column of [c.accuracy, c.gradient, c.length])
            column.push(null);
        return true;
    }

    private thin(): void {
        let nth = 0;
        const stay = this.glanced.map(is => !is || nth++ % 2 === 0);
        for (const column of [...Object.values(this.columns), this.glanced] as unknown[][])
            column.splice(0, column.length, ...column.filter((_value, i) => stay[i]));
        this.glances = this.glanced.filter(is => is).length + 1;
    }

    /** Forgets the rows from the given one on. */
    private keep(rows: number): void {
        this.glances -= this.glanced.slice(rows).filter(is => is).length;
        for (const column of [...Object.values(this.columns), this.glanced] as unknown[][])
            column.length = rows;
    }

    private goBack(line: Line): void {
        const to = line.to ?? 0;
        let keep = this.columns.step.length;
        while (keep > 0 && this.columns.step[keep - 1]! > to)
            keep--;
        const from = Math.max(0, keep - 1);
        this.branches.push({step: this.columns.step.slice(from), cost: this.columns.cost.slice(from)});
        this.keep(keep);
        this.backs.push({step: line.step ?? to, to, rate: line.rate ?? NaN, reason: line.reason ?? ""});
        this.clock = [];
        this.fall = null;
    }

    private stop(line: Line): void {
        const c = this.columns;
        this.stopped = line.stopped ?? null;
        if (line.stopped === "diverged" && !this.fall)
            this.fall = {step: (line.step ?? 0) + 1, rate: c.rate[c.rate.length - 1] ?? null, message: line.reason ?? ""};
    }

    /** The last value of a column that is a number, at a row or before it. */
    at(column: keyof Columns, row: number): Value {
        const values = this.columns[column];
        for (let i = Math.min(row, values.length - 1); i >= 0; i--)
            if (values[i] !== null)
                return values[i]!;
        return null;
    }

    /** The last row of an epoch or of one before it; -1 where there is none. */
    rowOfEpoch(epoch: number): number {
        let row = this.columns.epoch.length - 1;
        while (row >= 0 && this.columns.epoch[row]! > epoch)
            row--;
        return row;
    }
}
