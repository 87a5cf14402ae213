#!/usr/bin/python3
"""serve_page.py VEDETTE-CLI FOLDER: the page of the streaming interface in headless Chromium. A clip of the rendered
road is played into it, and its boxes lie over the objects; FOLDER keeps playwright-core and the screenshots."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from serve_running import SLOW, Running, make_token, take_picture

HERE = os.path.dirname(os.path.abspath(__file__))
LABELS = os.path.join(HERE, '..', '..', 'resources', 'serve', 'picture.js')
FPS, STILL_S = 25, 5.8
CAMERA = 'cameras = ( { name = "Yard"; address = "demo:size=320x180,fps=4,seed=2"; model = "builtin:motion"; } );\n'
LIMIT = 'streaming = { max_fps = 15; };\n'
SKIPPED = 77  # CTest's property SKIP_RETURN_CODE
DRIVER = 'playwright-core@1.49'


def wait_for(what):
    """Leaves the test undone, unless everything must be there."""
    print(f'serve_page waits for {what}')
    sys.exit(1 if os.environ.get('VEDETTE_REQUIRE_SHARED') == '1' else SKIPPED)


def find_driver(folder):
    """The folder of node's modules with playwright-core, installed when it is not there."""
    for program in ('node', 'npm'):
        if not shutil.which(program):
            wait_for(program)
    if not shutil.which(os.environ.get('VEDETTE_CHROMIUM', '/usr/bin/chromium')):
        wait_for('chromium')
    modules = os.path.join(folder, 'node_modules')
    if not os.path.isdir(os.path.join(modules, 'playwright-core')):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(['npm', 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', DRIVER],
                              capture_output=True, text=True, check=False, timeout=180,
                              env={**os.environ, 'PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD': '1'})
        if done.returncode:
            print(done.stderr[-800:])
            wait_for(f'{DRIVER} from npm')
    return modules


def render(program, folder):
    """A clip in H.264 with its truth, the same as a camera's Motion JPEG, and a picture out of it."""
    clip, truth = os.path.join(folder, 'road.mp4'), os.path.join(folder, 'road.jsonl')
    subprocess.run([program, 'demo', clip, '--frames', '200', '--seed', '4', '--size', '640x360', '--fps', str(FPS),
                    '--truth', truth], check=True, capture_output=True, timeout=60 * SLOW)
    camera, picture = os.path.join(folder, 'road.mjpeg'), os.path.join(folder, 'road.jpg')
    subprocess.run(['ffmpeg', '-v', 'error', '-i', clip, '-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p', camera],
                   check=True, timeout=60 * SLOW)
    take_picture(clip, STILL_S, picture)
    with open(truth, encoding='utf-8') as file:
        return clip, camera, picture, [json.loads(line) for line in file]


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


def around(truth, time):
    """The lines of the picture of that time and of those beside it: a browser may draw one later than it says."""
    frame = round(time * FPS)
    return truth[max(0, frame - 1):frame + 2]


def overlap(box, truth, time):
    """The best overlap with an object of that name."""
    objects = [one for line in around(truth, time) for one in line['detections'] if one['class_name'] == box['name']]
    return max((iou(box['bbox'], one['bbox']) for one in objects), default=0.0)


def is_on_decoy(box, truth, time):
    """What looks like an object and is none deceives the detector, which is not the page's fault."""
    return any(iou(box['bbox'], decoy['bbox']) >= 0.4 for line in around(truth, time) for decoy in line['decoys'])


def judge_clip(answers, truth):
    """Boxes lie over the objects, and objects of some size have boxes."""
    boxes = [(box, answer['time']) for answer in answers for box in answer['boxes']]
    judged = [(box, time) for box, time in boxes if not is_on_decoy(box, truth, time)]
    over = [box for box, time in judged if overlap(box, truth, time) >= 0.5]
    wanted = met = 0
    for answer in answers:
        for one in truth[min(round(answer['time'] * FPS), len(truth) - 1)]['detections']:
            if min(one['bbox'][2] - one['bbox'][0], one['bbox'][3] - one['bbox'][1]) < 16:
                continue
            wanted += 1
            met += any(box['name'] == one['class_name'] and overlap(box, truth, answer['time']) >= 0.5
                       for box in answer['boxes'])
    painted = [box for box, _ in boxes if is_painted(box)]
    print(f'{len(answers)} pictures, {len(boxes)} boxes, {len(boxes) - len(judged)} on decoys, {len(over)} over their '
          f'objects, {met} of {wanted} objects met, {len(painted)} seen on the canvas')
    assert len(judged) >= 20, 'hardly any boxes'
    assert len(over) >= 0.8 * len(judged), 'boxes do not lie over the objects'
    assert wanted >= 15 and met >= 0.7 * wanted, 'objects are not met'
    assert len(painted) >= 0.8 * len(boxes), 'boxes of the list are not on the canvas'
    frames = [answer['frame'] for answer in answers]
    assert frames == sorted(set(frames)), 'answers are not shown in their order'


def is_painted(box):
    """Its class' colour is on its left side, as far as another box or a label does not lie over it."""
    wanted = [int(box['swatch'][i:i + 2], 16) for i in (1, 3, 5)]
    return any(all(abs(a - b) <= 40 for a, b in zip(color, wanted)) for color in box['colors'])


def judge_looks(seen):
    """Buttons can be read, labels hide nothing, and what stands below the picture stays where it is."""
    faint = [one for one in seen['contrasts'] if one[2] < 4.5]
    names = {one[0] for one in seen['contrasts']}
    assert not faint and {'Use the camera', 'Connect', 'Stop', 'Tune'} <= names, (faint, names)
    labels = seen['labels']
    print(f'{len(seen["contrasts"])} states of buttons; labels: {labels}')
    assert labels['onOwn'] == labels['onLabel'] == labels['outside'] == 0 < labels['short'], labels
    assert labels['missing'] <= 0.02 * labels['labels'] and labels['onBox'] <= 0.15 * labels['labels'], labels
    assert seen['wholeLabel']['text'] == 'all of it', seen['wholeLabel']
    assert (seen['moved'], seen['clock'], seen['most']) == (0, '00:08', '300'), (seen['moved'], seen['clock'], seen['most'])
    assert seen['noticeBelow'] >= 0, 'the notice covers the start buttons'


def judge_loss(seen):
    """While nobody answers nothing can be moved and the clip waits; afterwards all is as it was."""
    lost = seen['lost']
    assert not lost['enabled'] and lost['went'] == 0 and 'paused' in lost['words'], lost
    assert all(float(one) < 1 for one in lost['grey']), lost
    assert seen['disabled'] == 0, seen['disabled']
    assert seen['again'] >= 1 and len(seen['sessions']) == 2 and seen['rateKept'] == '7', seen['rateKept']
    assert seen['sessions'][0] == seen['sessions'][1] is not None, 'the session was not taken up again'


def judge(seen, truth):
    assert not seen['console'], seen['console']
    assert not seen['foreign'], seen['foreign']
    assert "default-src 'self'" in seen['policy'] and 'unsafe' not in seen['policy'], seen['policy']
    judge_clip(seen['clip'], truth)
    assert (seen['clip'][0]['width'], seen['clip'][0]['height']) == (640, 360), seen['clip'][0]
    print(seen['status'].replace('\n', ' | '))
    assert 'Answered' in seen['status'] and 'quality' in seen['status'].lower(), seen['status']
    counts = [len(seen[name]['boxes']) for name in ('none', 'still', 'many')]
    print(f'boxes of one picture at confidence 1, 0.3, 0.05: {counts}')
    assert counts[0] == 0 < counts[1] <= counts[2], counts
    assert {seen[name]['time'] for name in ('none', 'still', 'many')} == {seen['still']['time']}, 'the picture went on'
    assert all(box['confidence'] >= 0.3 for box in seen['still']['boxes']), seen['still']
    assert (seen['byKey'], seen['tab']) == ('0.06', 'tab-cameras'), (seen['byKey'], seen['tab'])
    for words in ('Sent', 'Answered', 'Skipped', 'Model', 'Input of the network', 'Quality'):
        assert words in seen['table'], seen['table']
    assert seen['live'] >= 5 and seen['picture']['boxes'], seen['picture']
    assert 'riddle.mp4' in seen['noClip'], seen['noClip']
    camera = [box for answer in seen['camera'] for box in answer['boxes']]
    print(f'camera: {len(seen["camera"])} pictures, {len(camera)} boxes')
    judge_looks(seen)
    judge_loss(seen)
    assert seen['mostRate'] == '15', seen['mostRate']
    assert camera and seen['phoneWidth'] == 390 and seen['stopped'], (len(camera), seen['phoneWidth'], seen['stopped'])
    assert 'token' in seen['wrongToken'], seen['wrongToken']
    assert 'Yard' in seen['cameras'] and 'playing' in seen['cameras'], seen['cameras']
    assert seen['withToken']['boxes'] and seen['stored'] == [0, ''], seen['stored']


def main():
    program, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    modules = find_driver(folder)
    with tempfile.TemporaryDirectory(prefix='vedette-page-') as work:
        clip, camera, picture, truth = render(program, work)
        tokens, token = make_token(work)
        with Running(program, '--model', 'demo') as server, \
                Running(program, '--model', 'demo', '--token-file', tokens, settings=CAMERA + LIMIT) as guarded:
            wanted = os.path.join(work, 'wanted.json')
            with open(wanted, 'w', encoding='utf-8') as file:
                json.dump({'url': server.url, 'tokenUrl': guarded.url, 'token': token, 'clip': clip, 'picture': picture,
                           'camera': camera, 'still': STILL_S, 'folder': folder, 'labels': LABELS}, file)
            done = subprocess.run(['node', os.path.join(HERE, 'serve_page.mjs'), modules, wanted], check=False,
                                  timeout=120 * SLOW)
            assert done.returncode == 0, 'the page could not be driven to the end'
        with open(os.path.join(folder, 'seen.json'), encoding='utf-8') as file:
            judge(json.load(file), truth)


if __name__ == '__main__':
    main()
