#!/usr/bin/python3
"""Every broken and unusual file plays, plays in part or is refused as its expected.json says; none crashes or hangs.

odd_clips.py SOURCE_PROBE"""
import json
import os
import pathlib
import subprocess
import sys

PROBE = sys.argv[1]
SHARED = pathlib.Path(os.environ.get('VEDETTE_SHARED', '../shared'))
FOLDER = SHARED / 'clips' / 'odd'
WINDS = 25
LIMIT_S = 30


def probe(path):
    result = subprocess.run([PROBE, '--winds', str(WINDS), str(path)], capture_output=True, text=True, timeout=LIMIT_S)
    if result.returncode != 0:
        raise ValueError(f'ended with status {result.returncode}: {result.stderr.strip()[-300:]}')
    return json.loads(result.stdout), result.stderr


def faults(expected, found, noise):
    """What is wrong with how a file was taken: a list of sentences."""
    wrong = []
    right = {expected['expect'], expected.get('also_ok', expected['expect'])}
    played = found['frames'] > 0
    if played and not right & {'plays', 'partial'}:
        wrong.append(f'{found["frames"]} pictures came, but it should be refused')
    if not played and 'refused' not in right:
        wrong.append(f'it was refused: {found["error"]}')
    if not played and (not found['error'].endswith('.') or '\n' in found['error'] or len(found['error']) < 20):
        wrong.append(f'the refusal is no sentence: {found["error"]}')
    if played and found['frames'] < expected['min_frames']:
        wrong.append(f'{found["frames"]} of at least {expected["min_frames"]} pictures came')
    if played and expected['frames'] and found['frames'] > expected['frames']:
        wrong.append(f'{found["frames"]} pictures came, but only {expected["frames"]} are in it')
    sizes = [[expected['width'], expected['height']], expected.get('also_size')]
    if played and [found['width'], found['height']] not in sizes:
        wrong.append(f'{found["width"]} x {found["height"]} pixels instead of {sizes[0]}')
    if not found['rising']:
        wrong.append('times do not rise')
    if not found['valid']:
        wrong.append('a picture is not valid')
    if found['wrong_winds']:
        wrong.append(f'{found["wrong_winds"]} of {found["winds"]} windings led to another picture')
    if noise:
        wrong.append(f'it wrote to stderr: {noise.strip()[:200]}')
    return wrong


def main():
    if not FOLDER.is_dir():
        print('waits for shared: clips/odd')
        return 1 if os.environ.get('VEDETTE_REQUIRE_SHARED') == '1' else 0
    failed = 0
    listed = json.loads((FOLDER / 'expected.json').read_text())
    for expected in listed:
        try:
            wrong = faults(expected, *probe(FOLDER / expected['file']))
        except (ValueError, subprocess.TimeoutExpired) as problem:
            wrong = [str(problem)]
        for sentence in wrong:
            print(f'{expected["file"]} ({expected["what"]}): {sentence}')
        failed += bool(wrong)
    print(f'{len(listed) - failed} of {len(listed)} odd files were taken as they should be')
    return 1 if failed or not listed else 0


sys.exit(main())
