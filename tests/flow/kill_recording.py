"""kill -9 at random moments after a recording's first fragment: the file plays, and at most 1 s is lost.

usage: kill_recording.py RECORDER_VICTIM SOURCE_PROBE
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

KILLS, AT_ONCE, LONGEST_LOSS_S = 50, 5, 1.0


def one_kill(victim, probe, folder, number, delay, results):
    path = os.path.join(folder, f"{number}.mp4")
    process = subprocess.Popen([victim, path], stdout=subprocess.PIPE, text=True)
    said = [0.0]

    def follow():
        for line in process.stdout:
            said[0] = float(line)
    reader = threading.Thread(target=follow)
    reader.start()
    deadline = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reader.join()
    played = json.loads(subprocess.run([probe, path], capture_output=True, text=True, timeout=60).stdout or "{}")
    results[number] = (said[0], played)


def main():
    victim, probe = sys.argv[1:3]
    seed = int(os.environ.get("VEDETTE_TEST_SEED", random.randrange(1 << 30)))
    chance = random.Random(seed)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            goes = [pool.submit(one_kill, victim, probe, folder, n, chance.uniform(0, 2.5), results)
                    for n in range(KILLS)]
            for go in goes:
                go.result()
    worst, plays = 0.0, 0
    for number, (said, played) in sorted(results.items()):
        frames, last = played.get("frames", 0), played.get("last_time", 0.0)
        worst = max(worst, said - last)
        plays += frames > 0
        if frames == 0 or said - last > LONGEST_LOSS_S:
            print(f"kill {number}: {said:.2f} s recorded, {last:.2f} s play, probe says {played}")
    print(f"seed {seed}: {plays} of {KILLS} files play, at most {worst:.2f} s lost")
    return 0 if plays == KILLS and worst <= LONGEST_LOSS_S else 1


sys.exit(main())
