// Colours. Two ends of a scale are blue and orange, amounts go from dark to light; both can be told apart by everybody.
// Classes have a shape besides their colour.

export type Rgb = readonly [number, number, number];

interface Theme {
    dark: boolean;
    ink: string;
    quiet: string;
    line: string;
    paper: Rgb;
    neutral: Rgb;
    blue: Rgb;
    orange: Rgb;
    classes: Rgb[];
}

const LIGHT: Theme = {
    dark: false, ink: "#1f2328", quiet: "#59626c", line: "#e3e1dc", paper: [255, 255, 255], neutral: [244, 243, 240],
    blue: [33, 96, 168], orange: [214, 102, 12],
    classes: [[33, 96, 168], [224, 120, 20], [20, 138, 120], [152, 78, 148], [70, 160, 214], [180, 146, 0], [138, 82, 66],
        [110, 116, 124]],
};
const DARK: Theme = {
    dark: true, ink: "#e8e6e1", quiet: "#a3a9b1", line: "#2f353c", paper: [27, 31, 36], neutral: [38, 43, 49],
    blue: [92, 160, 236], orange: [244, 146, 62],
    classes: [[92, 160, 236], [244, 146, 62], [62, 190, 168], [205, 130, 200], [140, 205, 245], [222, 190, 70], [196, 140, 120],
        [160, 166, 174]],
};

const query = window.matchMedia("(prefers-color-scheme: dark)");

export function theme(): Theme {
    return query.matches ? DARK : LIGHT;
}

export function onTheme(changed: () => void): void {
    query.addEventListener("change", changed);
}

export function css(colour: Rgb, alpha = 1): string {
    return `rgba(${colour.map(Math.round).join(",")},${alpha})`;
}

export function mix(from: Rgb, to: Rgb, part: number): Rgb {
    const p = Math.min(1, Math.max(0, part));
    return [from[0] + (to[0] - from[0]) * p, from[1] + (to[1] - from[1]) * p, from[2] + (to[2] - from[2]) * p];
}

/** From -1, blue, over 0 to 1, orange. */
export function diverging(x: number): Rgb {
    const {neutral, blue, orange} = theme();
    // Bent a little, which makes small values visible.
    return mix(neutral, x < 0 ? blue : orange, Math.abs(x) ** 0.7);
}

const SEQUENCE: Rgb[] = [[36, 30, 84], [48, 78, 132], [38, 118, 138], [48, 156, 128], [122, 190, 92], [236, 220, 78]];

/** From 0, dark blue, to 1, light yellow. */
export function sequential(x: number): Rgb {
    const place = Math.min(1, Math.max(0, x)) * (SEQUENCE.length - 1);
    const i = Math.min(SEQUENCE.length - 2, Math.floor(place));
    return mix(SEQUENCE[i]!, SEQUENCE[i + 1]!, place - i);
}

/** 256 colours of a scale, as the bytes of pixels. */
export function tableOf(scale: (x: number) => Rgb, low: number, high: number): Uint8ClampedArray {
    const made = new Uint8ClampedArray(256 * 4);
    for (let i = 0; i < 256; i++)
        made.set([...scale(low + i * (high - low) / 255), 255], 4 * i);
    return made;
}

export function classColour(index: number): Rgb {
    const {classes} = theme();
    return classes[index % classes.length]!;
}

/** Black or white, whichever reads better on the colour. */
export function inkOn(colour: Rgb): string {
    const linear = colour.map(c => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    const light = 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
    return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000000" : "#ffffff";
}

/** Adds the outline of a class's shape to the path under way: circle, square, triangle, diamond, cross, turned triangle. */
export function traceShape(context: CanvasRenderingContext2D | Path2D, index: number, x: number, y: number, r: number): void {
    const corners = SHAPES[index % (SHAPES.length + 1) - 1];
    if (!corners) {
        context.moveTo(x + r, y);
        context.arc(x, y, r, 0, 2 * Math.PI);
        return;
    }
    corners.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx * r, y + dy * r) : context.moveTo(x + dx * r, y + dy * r)));
    context.closePath();
}

const SHAPES: [number, number][][] = [
    [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
    [[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]],
    [[-0.35, -1.1], [0.35, -1.1], [0.35, -0.35], [1.1, -0.35], [1.1, 0.35], [0.35, 0.35], [0.35, 1.1], [-0.35, 1.1], [-0.35, 0.35],
        [-1.1, 0.35], [-1.1, -0.35], [-0.35, -0.35]],
    [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]],
];
