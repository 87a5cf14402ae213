/* Drives the page of a running server in headless Chromium and writes what it saw as JSON; serve_page.py judges it.
 *
 *   node serve_page.mjs PLAYWRIGHT WANTED.json
 *
 * WANTED: {url, tokenUrl, token, clip, picture, camera (MJPEG), still (a second of the clip), folder (screenshots)} */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [playwright, wantedPath] = process.argv.slice(2);
const { chromium } = createRequire(join(playwright, "x.js"))("playwright-core");
const wanted = JSON.parse(readFileSync(wantedPath, "utf8"));
const slow = Number(process.env.VEDETTE_TEST_SLOWNESS || 1);
const seen = { console: [], foreign: [], requests: 0, policy: "" };

const browser = await chromium.launch({
    executablePath: process.env.VEDETTE_CHROMIUM || "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-video-capture=${wanted.camera}`],
});

async function open(url, width, height, more = {}, quiet = true) {
    const context = await browser.newContext({ viewport: { width, height }, ...more });
    await context.grantPermissions(["camera"], { origin: new URL(url).origin });
    const page = await context.newPage();
    page.setDefaultTimeout(10000 * slow);
    if (quiet) {
        page.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
        page.on("pageerror", (error) => seen.console.push(`error: ${error.message}`));
    }
    page.on("request", (request) => {
        seen.requests++;
        if (!/^(blob|data):/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin)
            seen.foreign.push(request.url());
    });
    return page;
}

/* Every answer that the page shows from now on goes into window.answers: time of the picture, boxes, and the colour
 * that is painted on the left side of each. Run in the page. */
function record() {
    const list = document.getElementById("boxes"), canvas = document.getElementById("canvas");
    const copy = document.createElement("canvas"), context = copy.getContext("2d", { willReadFrequently: true });
    window.answers = [];
    const look = () => {
        const width = Number(list.dataset.width), height = Number(list.dataset.height);
        const scale = Math.min(canvas.width / width, canvas.height / height);
        const left = (canvas.width - width * scale) / 2, top = (canvas.height - height * scale) / 2;
        copy.width = canvas.width;
        copy.height = canvas.height;
        context.drawImage(canvas, 0, 0);
        const boxes = [...list.children].map((item) => {
            const bbox = item.dataset.bbox.split(",").map(Number);
            const x = Math.round(left + bbox[0] * scale), y = Math.round(top + (bbox[1] + 0.8 * (bbox[3] - bbox[1])) * scale);
            const pixels = context.getImageData(Math.max(0, x - 2), y, 5, 1).data, colors = [];
            for (let i = 0; i < pixels.length; i += 4)
                colors.push([...pixels.slice(i, i + 3)]);
            return { bbox, name: item.dataset.name, confidence: Number(item.dataset.confidence), colors,
                swatch: item.firstChild.getAttribute("fill") };
        });
        window.answers.push({ frame: Number(list.dataset.frame), time: Number(list.dataset.time), width, height, boxes });
    };
    new MutationObserver(look).observe(list, { attributes: true, attributeFilter: ["data-frame"] });
}

const answers = (page) => page.evaluate(() => window.answers.splice(0));
const state = (page) => page.evaluate(() => document.body.dataset.state);
const ready = (page) => until(page, async () => await state(page) === "ready", "the connection");
const shoot = (page, name) => page.screenshot({ path: join(wanted.folder, `${name}.png`) });

/* Playwright's own waiting takes eval, which the page's policy forbids. */
async function until(page, condition, what, seconds = 15) {
    const end = Date.now() + seconds * 1000 * slow;
    while (!await condition()) {
        if (Date.now() > end)
            throw new Error(`waited ${seconds} s for ${what}`);
        await page.waitForTimeout(30);
    }
}

/* The next answers, at least `count`. */
async function collect(page, count) {
    await until(page, async () => await page.evaluate(() => window.answers.length) >= count, `${count} answers`, 20);
    return answers(page);
}

async function slide(page, id, value) {
    await page.locator(id).evaluate((control, to) => {
        control.value = to;
        control.dispatchEvent(new Event("input", { bubbles: true }));
    }, value);
}

/* What is there once a new answer has come after `act`. */
async function after(page, act) {
    await answers(page);
    await act();
    const all = await collect(page, 1);
    await page.waitForTimeout(400);
    all.push(...await answers(page));
    return all.at(-1);
}

async function playClip() {
    const page = await open(wanted.url, 1280, 800);
    const reply = await page.goto(wanted.url);
    seen.policy = reply.headers()["content-security-policy"] || "";
    await ready(page);
    await shoot(page, "desktop-empty");
    await page.evaluate(record);
    await page.locator('input[value="accurate"]').check(); // a busy machine gives way in rate alone
    await page.setInputFiles("#file", wanted.clip);
    seen.clip = await collect(page, 36);
    await shoot(page, "desktop-clip");
    seen.status = await page.locator(".status").innerText();

    /* On one picture: the slider alone changes what is found. */
    await page.locator("#play").click();
    await slide(page, "#seek", wanted.still);
    await page.waitForTimeout(600);
    seen.still = await after(page, () => slide(page, "#confidence", 0.3));
    seen.none = await after(page, () => slide(page, "#confidence", 1));
    seen.many = await after(page, () => slide(page, "#confidence", 0.05));
    await page.locator("#stage").focus();
    await page.keyboard.press("ArrowUp");
    seen.byKey = await page.locator("#confidence-value").textContent();
    await page.locator("#tab-picture").focus();
    await page.keyboard.press("ArrowRight");
    seen.tab = await page.evaluate(() => document.activeElement.id);
    await page.keyboard.press("ArrowLeft");
    await page.waitForTimeout(600);
    await shoot(page, "desktop-picture");
    seen.table = await page.locator("#table").innerText();

    /* Live: boxes are the newest, the picture goes on. */
    await page.locator("#tab-tune").click();
    await slide(page, "#confidence", 0.3);
    await page.locator('input[value="live"]').check();
    await page.locator("#play").click();
    await answers(page);
    seen.live = (await collect(page, 5)).length;

    /* A picture. */
    await page.setInputFiles("#file", wanted.picture);
    await answers(page);
    seen.picture = (await collect(page, 1)).at(-1);

    /* Bad values and files are said in words. */
    await page.setInputFiles("#file", { name: "riddle.mp4", mimeType: "video/mp4", buffer: Buffer.from("no clip") });
    await page.locator("#notice").waitFor();
    seen.noClip = await page.locator("#notice-text").innerText();
    await page.context().close();
}

async function playCamera() {
    const page = await open(wanted.url, 390, 844, { deviceScaleFactor: 2, colorScheme: "dark" });
    await page.goto(wanted.url);
    await ready(page);
    await shoot(page, "phone-empty");
    await page.evaluate(record);
    await page.locator("#empty-camera").click();
    seen.camera = await collect(page, 20);
    await shoot(page, "phone-camera");
    await page.locator("#tab-picture").click();
    seen.phoneWidth = await page.evaluate(() => document.documentElement.scrollWidth);
    await shoot(page, "phone-picture");
    await page.locator("#stop").click();
    seen.stopped = await page.locator("#empty").isVisible();
    await page.context().close();
}

/* The connection breaks: the page comes back by itself, with its session. */
async function loseConnection() {
    const page = await open(wanted.url, 1280, 800, {}, false);
    const lines = [];
    await page.routeWebSocket(/\/stream\/detection/, (line) => {
        lines.push(line);
        line.connectToServer();
    });
    await page.goto(wanted.url);
    await ready(page);
    await page.setInputFiles("#file", wanted.picture);
    await page.evaluate(record);
    await slide(page, "#rate", 7);
    await collect(page, 1);
    await lines[0].close({ code: 3001, reason: "cut" });
    await until(page, async () => await state(page) !== "ready", "the loss to be seen");
    await ready(page);
    await answers(page);
    await slide(page, "#confidence", 0.5);
    seen.again = (await collect(page, 1)).length;
    seen.sessions = lines.map((line) => new URL(line.url()).searchParams.get("client_id"));
    seen.rateKept = await page.locator("#rate").inputValue();
    await page.context().close();
}

async function giveToken() {
    const page = await open(wanted.tokenUrl, 390, 844, {}, false);
    await page.goto(wanted.tokenUrl);
    await page.locator("#token").waitFor();
    await shoot(page, "phone-token");
    await page.locator("#token").fill("not-the-token-at-all");
    await page.keyboard.press("Enter");
    await until(page, () => page.locator("#token-error").textContent(), "the wrong token to be told");
    seen.wrongToken = await page.locator("#token-error").textContent();
    await page.locator("#token").fill(wanted.token);
    await page.keyboard.press("Enter");
    await ready(page);
    await page.evaluate(record);
    await page.setInputFiles("#file", wanted.picture);
    seen.withToken = (await collect(page, 1)).at(-1);
    seen.stored = await page.evaluate(() => [Object.keys(localStorage).length, document.cookie]);
    await page.locator("#tab-cameras").click();
    await page.locator("#cameras button").click();
    const now = () => page.locator("#feed-now").textContent();
    await until(page, async () => /^Picture \d+: /.test(await now()), "the camera's detections");
    const first = await now();
    await until(page, async () => await now() !== first, "the camera's next detections");
    seen.cameras = await page.locator("#panel-cameras").innerText();
    await shoot(page, "phone-cameras");
    await page.context().close();
}

try {
    await playClip();
    await playCamera();
    await loseConnection();
    await giveToken();
    writeFileSync(join(wanted.folder, "seen.json"), JSON.stringify(seen));
} catch (problem) {
    console.error(problem.message, JSON.stringify(seen.console));
    process.exitCode = 1;
} finally {
    await browser.close();
}
