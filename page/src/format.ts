// Numbers and counts in words.

/** Four digits that count; a dash for what is no finite number. */
export function short(x: number | null | undefined): string {
    return digits(x, 4);
}

/** Five digits, for what is read while it moves. */
export function middle(x: number | null | undefined): string {
    return digits(x, 5);
}

/** As exact as a float is. */
export function exact(x: number | null | undefined): string {
    return digits(x, 9);
}

function digits(x: number | null | undefined, count: number): string {
    if (x === null || x === undefined || !Number.isFinite(x))
        return "\u2013";
    if (x === 0)
        return "0";
    const size = Math.abs(x);
    if (size >= 1e7 || size < 1e-4)
        return x.toExponential(Math.min(count, 4) - 1).replace(/\.?0+e/, "e").replace("e+", "e").replace("-", "\u2212");
    const text = size >= 10 ** (count - 1) && Number.isInteger(x) ? String(x) : x.toPrecision(count);
    const plain = text.includes("e") ? String(Number(text)) : text;
    return (plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain).replace("-", "\u2212");
}

export function whole(n: number): string {
    return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

export function percent(x: number | null | undefined): string {
    return x === null || x === undefined || !Number.isFinite(x) ? "\u2013" : `${(100 * x).toFixed(x > 0.995 && x < 1 ? 2 : 1)}%`;
}

export function count(n: number, noun: string): string {
    return `${whole(n)} ${noun}${n === 1 ? "" : "s"}`;
}
