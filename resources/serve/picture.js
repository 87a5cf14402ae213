/* Paints a picture with its boxes, as the window does: letterboxed, boxes 2 px with a dark halo, labels that keep
 * out of each other's way. */

/* Of the window: the order keeps each apart from the next two, with the three colour-vision deficiencies as well. */
const PALETTE = [
    "#56b4e9", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#0072b2", "#e8e8e8",
    "#9fd8ff", "#2f66a8", "#8c4a78", "#ffb9a0", "#b5ad3c", "#2f7f6e", "#b3e5c8", "#a8570a",
];
const LARGE = { px: 13, height: 19 }, SMALL = { px: 11, height: 16 }; // type of labels
const NARROW = 500, PAD = 5, GAP = 2;

export function classColor(index) {
    return PALETTE[((index % PALETTE.length) + PALETTE.length) % PALETTE.length];
}

/* Black or white, whichever reads better on it. */
function inkOn(color) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    return 0.299 * r + 0.587 * g + 0.114 * b > 120 ? "#000000" : "#ffffff";
}

export function labelOf(found) {
    const track = found.track_id > 0 ? ` #${found.track_id}` : "";
    return `${found.class_name} ${found.confidence.toFixed(2)}${track}`;
}

/* From what says most to what still fits among many others. */
function textsOf(found) {
    const percent = `${Math.round(100 * found.confidence)} %`;
    return [labelOf(found), `${found.class_name} ${percent}`, percent];
}

function overlap(a, b) {
    return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/* Where a label may stand: above its box, below it, beside it. */
function spotsAround(box, area, width, height) {
    const within = (x) => Math.max(area.left, Math.min(x, area.right - width));
    const first = within(box.x - 1), last = within(box.x + box.width + 1 - width);
    const above = box.y - height - GAP, below = box.y + box.height + GAP;
    const after = box.x + box.width + GAP, before = box.x - width - GAP;
    const top = box.y - 1, bottom = box.y + box.height + 1 - height;
    const spots = [[first, above], [last, above], [first, below], [last, below], [after, top], [after, bottom],
        [before, top], [before, bottom]];
    return spots.filter(([x, y]) => x >= area.left && x + width <= area.right && y >= area.top &&
        y + height <= area.bottom).map(([x, y]) => ({ x, y, width, height }));
}

/* A label {text, x, y, width, height} for each box {x, y, width, height}: the first of its `texts` and the first spot
 * that is free of all boxes and labels, else of labels; null where none is, since the list names it as well. Only of a
 * box that leaves no room around itself the label stands inside. `measure` gives the width of a label. */
export function placeLabels(boxes, texts, area, height, measure) {
    const taken = [];
    const isFree = (at, others) => ![...others, ...taken].some((one) => overlap(at, one));
    const place = (box, choices) => {
        const labels = choices.flatMap((text) => spotsAround(box, area, measure(text), height)
            .map((at) => ({ text, ...at })));
        const inside = choices.map((text) => ({ text, x: Math.max(area.left, box.x) + GAP,
            y: Math.max(area.top, box.y) + GAP, width: measure(text), height }));
        return labels.find((at) => isFree(at, boxes)) || (labels.length ? labels : inside).find((at) => isFree(at, []));
    };
    return boxes.map((box, i) => {
        const label = place(box, texts[i]) || null;
        if (label)
            taken.push(label);
        return label;
    });
}

export class Picture {
    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext("2d");
        this.drawable = null;
        this.size = [0, 0];
        this.boxes = [];
        this.boxSize = [1, 1]; // the picture in whose pixels the boxes are
        new ResizeObserver(() => this.fit()).observe(canvas);
    }

    fit() {
        const ratio = window.devicePixelRatio || 1;
        this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
        this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
        this.paint();
    }

    setPicture(drawable, width, height) {
        this.drawable = drawable;
        this.size = [width, height];
    }

    setBoxes(boxes, width, height) {
        this.boxes = boxes;
        this.boxSize = [width, height];
    }

    clear() {
        this.drawable = null;
        this.boxes = [];
        this.paint();
    }

    paint() {
        const { canvas, context } = this;
        const ratio = window.devicePixelRatio || 1;
        const wide = canvas.width / ratio, high = canvas.height / ratio;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, wide, high);
        if (!this.drawable || !this.size[0] || !wide)
            return;
        const scale = Math.min(wide / this.size[0], high / this.size[1]);
        const width = this.size[0] * scale, height = this.size[1] * scale;
        const left = (wide - width) / 2, top = (high - height) / 2;
        context.imageSmoothingQuality = "high";
        context.drawImage(this.drawable, left, top, width, height);
        context.save();
        context.beginPath();
        context.rect(left, top, width, height);
        context.clip();
        this.paintBoxes({ left, top, right: left + width, bottom: top + height },
            width / this.boxSize[0], height / this.boxSize[1]);
        context.restore();
    }

    paintBoxes(area, scaleX, scaleY) {
        const places = this.boxes.map(({ bbox: [x1, y1, x2, y2] }) => ({
            x: area.left + x1 * scaleX, y: area.top + y1 * scaleY,
            width: (x2 - x1) * scaleX, height: (y2 - y1) * scaleY,
        }));
        places.forEach((place, i) => this.paintBox(place, classColor(this.boxes[i].class_id)));
        const { px, height } = area.right - area.left < NARROW ? SMALL : LARGE;
        this.context.font = `bold ${px}px Cantarell, "Adwaita Sans", system-ui, "DejaVu Sans", sans-serif`;
        const labels = placeLabels(places, this.boxes.map(textsOf), area, height,
            (text) => this.context.measureText(text).width + 2 * PAD);
        labels.forEach((label, i) => label && this.paintLabel(label, classColor(this.boxes[i].class_id), height));
    }

    paintBox({ x, y, width, height }, color) {
        const { context } = this;
        context.lineJoin = "miter";
        context.lineWidth = 4;
        context.strokeStyle = "#000000a0";
        context.strokeRect(x, y, width, height);
        context.lineWidth = 2;
        context.strokeStyle = color;
        context.strokeRect(x, y, width, height);
    }

    paintLabel({ text, x, y, width }, color, height) {
        const { context } = this;
        context.fillStyle = color;
        context.fillRect(x, y, width, height);
        context.strokeStyle = "#000000a0";
        context.lineWidth = 1;
        context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
        context.fillStyle = inkOn(color);
        context.textBaseline = "middle";
        context.fillText(text, x + PAD, y + height / 2 + 0.5);
    }
}
