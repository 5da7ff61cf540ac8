// Pictures out of bytes: what a unit answers over two columns, what weights look for, rows of images. Each is made once.
import {bytesOf, reachOf} from "./bytes";
import {diverging, onTheme, tableOf} from "./colour";
import type {Bytes, Layer, MapDocument, Row, Weights} from "./documents";

let pictures = new WeakMap<object, Map<number, HTMLCanvasElement>>();
onTheme(() => {
    pictures = new WeakMap();
});

function kept(of: object, index: number, make: () => HTMLCanvasElement): HTMLCanvasElement {
    const all = pictures.get(of) ?? new Map<number, HTMLCanvasElement>();
    pictures.set(of, all);
    const found = all.get(index) ?? make();
    all.set(index, found);
    return found;
}

function painted(width: number, height: number, colour: (x: number, y: number, pixels: Uint8ClampedArray, at: number) => void):
    HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d")!;
    const image = context.createImageData(width, height);
    for (let y = 0, at = 0; y < height; y++)
        for (let x = 0; x < width; x++, at += 4) {
            colour(x, y, image.data, at);
            image.data[at + 3] = 255;
        }
    context.putImageData(image, 0, 0);
    return canvas;
}

/** A unit's answers over the map's grid; blue below zero, orange above. */
export function mapPicture(map: Bytes, width: number, height: number): HTMLCanvasElement {
    return kept(map, 0, () => {
        const bytes = bytesOf(map);
        const reach = reachOf(map);
        const table = tableOf(diverging, map.low / reach, map.high / reach);
        return painted(width, height, (x, y, pixels, at) => {
            const q = 4 * bytes[(height - 1 - y) * width + x]!;
            pixels[at] = table[q]!;
            pixels[at + 1] = table[q + 1]!;
            pixels[at + 2] = table[q + 2]!;
        });
    });
}

/** What each unit of a layer answers over the map; the last layer's units are the outputs. */
export function mapsOf(map: MapDocument | null, layer: Layer, isLast: boolean): Bytes[] {
    return map?.layers.find(one => one.name === layer.name)?.maps ?? (map && isLast ? map.outputs : []);
}

/** The weights of one unit as the picture that they look for; of three channels in colour, of more than three their mean. */
export function weightPicture(layer: Layer, weights: Weights, unit: number): HTMLCanvasElement | null {
    const [height, width, channels] = layer.picture!;
    const column = unit - weights.first;
    if (column < 0 || column >= weights.units || height * width * channels !== weights.inputs)
        return null;
    return kept(weights, unit, () => {
        const bytes = bytesOf(weights);
        const reach = reachOf(weights);
        const at = (pixel: number, channel: number) =>
            (weights.low + bytes[(pixel * channels + channel) * weights.units + column]! * (weights.high - weights.low) / 255) / reach;
        return painted(width, height, (x, y, pixels, place) => {
            const pixel = y * width + x;
            if (channels === 3) {
                for (let c = 0; c < 3; c++)
                    pixels[place + c] = 127.5 * (1 + at(pixel, c));
                return;
            }
            let mean = 0;
            for (let c = 0; c < channels; c++)
                mean += at(pixel, c) / channels;
            pixels.set(diverging(mean), place);
        });
    });
}

/** The weights between all inputs (across) and all units (down) of a layer. */
export function matrixPicture(weights: Weights): HTMLCanvasElement {
    return kept(weights, -1, () => {
        const bytes = bytesOf(weights);
        const reach = reachOf(weights);
        const table = tableOf(diverging, weights.low / reach, weights.high / reach);
        return painted(weights.inputs, weights.units, (x, y, pixels, at) => {
            const q = 4 * bytes[x * weights.units + y]!;
            pixels[at] = table[q]!;
            pixels[at + 1] = table[q + 1]!;
            pixels[at + 2] = table[q + 2]!;
        });
    });
}

/** A row's image as it stands in the data. */
export function imagePicture(image: NonNullable<Row["image"]>): HTMLCanvasElement {
    return kept(image, 0, () => {
        const bytes = bytesOf(image);
        const {width, height, channels} = image;
        return painted(width, height, (x, y, pixels, at) => {
            const pixel = (y * width + x) * channels;
            for (let c = 0; c < 3; c++)
                pixels[at + c] = bytes[pixel + (channels >= 3 ? c : 0)]!;
        });
    });
}
