#!/usr/bin/python3
"""installed_library.py CMAKE BUILD: installs into empty places, with a prefix and with DESTDIR, and uses libvedette
from there as a stranger would: pkg-config, a C compiler, a C++ compiler, nothing of this tree but docs/examples."""
import os
import re
import subprocess
import sys
import tempfile

CMAKE, BUILD = sys.argv[1:3]
CC, CXX = os.environ.get('CC', 'cc'), os.environ.get('CXX', 'c++')
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror']
DIALECTS = [[CC, '-x', 'c', '-std=c11'], [CC, '-x', 'c', '-std=gnu17', '-Wstrict-prototypes'],
            [CXX, '-x', 'c++', '-std=c++17'], [CXX, '-x', 'c++', '-std=c++20']]

# Every table of defaults as C++ takes it, and both kinds of constants.
CXX_PROGRAM = r'''
#include <cstdio>
#include <vedette/vedette.h>

int main()
{
    vd_detector_options options = VD_DETECTOR_OPTIONS_INIT;
    vd_run_options run = VD_RUN_OPTIONS_INIT;
    vd_thresholds thresholds = VD_THRESHOLDS_INIT;
    vd_detector *detector = nullptr;
    vd_error error = {};
    options.model = "builtin:motion";
    if (vd_detector_new(&options, &detector, &error) != VD_OK || run.stride != 1 || thresholds.iou <= 0)
        return 1;
    std::printf("%s %d.%d.%d\n", vd_version(), VD_VERSION_MAJOR, VD_VERSION_MINOR, VD_VERSION_PATCH);
    return vd_detector_free(&detector);
}
'''


def run(*command, **more):
    environment = dict(os.environ, **more.pop('environment', {}))
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=250, **more)
    if done.returncode:
        sys.exit(f'{" ".join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout.strip()


def files(top):
    return sorted(os.path.relpath(os.path.join(folder, name), top)
                  for folder, _, names in os.walk(top) for name in names)


def find(top, name):
    found = [path for path in files(top) if os.path.basename(path) == name]
    if len(found) != 1:
        sys.exit(f'{name} is installed {len(found)} times: {found}')
    return os.path.join(top, found[0])


def check_files(prefix):
    installed = files(prefix)
    headers = {path[len('include/vedette/'):] for path in installed if path.startswith('include/')}
    public = {name for name in os.listdir('core/include/vedette') if name.endswith('.h')}
    assert headers == public, f'headers differ: {sorted(headers ^ public)}'
    for wanted in ('bin/vedette', 'bin/vedette-cli', 'bin/vedette-verifier',
                   'share/applications/org.vedette.Vedette.desktop'):
        assert wanted in installed, f'{wanted} is missing'
    unused = [path for path in installed if path.endswith('.a') or '/app/' in path or 'CMakeFiles' in path]
    assert not unused, f'these should not be installed: {unused}'
    library = find(prefix, 'libvedette.so.0')
    dynamic = run('readelf', '-d', library)
    assert 'Library soname: [libvedette.so.0]' in dynamic, dynamic
    assert not re.search(r'\((RPATH|RUNPATH)\)', dynamic), 'the library looks for others in places of the build'
    return len(installed)


class Stranger:
    """Somebody with a compiler, pkg-config and one installed prefix."""

    def __init__(self, prefix, work):
        folder = os.path.dirname(find(prefix, 'vedette.pc'))
        self.work = work
        self.environment = {'PKG_CONFIG_PATH': folder, 'PKG_CONFIG_LIBDIR': folder}
        self.cflags = self.ask('--cflags').split()
        self.libs = self.ask('--libs').split()
        libdir = self.ask('--variable=libdir')
        assert os.path.samefile(libdir, os.path.dirname(find(prefix, 'libvedette.so.0'))), libdir
        self.libdir = os.path.realpath(libdir)

    def ask(self, option):
        return run('pkg-config', option, 'vedette', environment=self.environment)

    def compile(self, compiler, source, program):
        run(*compiler, *STRICT, *self.cflags, source, '-o', program, *self.libs, cwd=self.work)

    def start(self, program):
        environment = {'LD_LIBRARY_PATH': self.libdir}
        loaded = run('ldd', program, environment=environment)
        assert f'libvedette.so.0 => {self.libdir}/' in loaded, loaded
        return run(program, environment=environment, cwd=self.work)

    def check_headers(self, prefix):
        names = sorted(os.listdir(os.path.join(prefix, 'include/vedette')))
        for name in names:
            for dialect in DIALECTS:
                run(*dialect, *STRICT, '-fsyntax-only', *self.cflags, '-', input=f'#include <vedette/{name}>\n',
                    cwd=self.work)
        return len(names)


def main():
    examples = []
    for name in sorted(os.listdir('docs/examples')):  # streaming_client uses no library of ours
        with open(os.path.join('docs/examples', name), encoding='utf-8') as file:
            examples += [name] if name.endswith('.c') and '<vedette/' in file.read() else []
    assert len(examples) >= 4, examples
    with tempfile.TemporaryDirectory() as top:
        prefix, staged, work = (os.path.join(top, name) for name in ('prefix', 'staged', 'work'))
        os.mkdir(work)
        run(CMAKE, '--install', BUILD, '--prefix', prefix)
        run(CMAKE, '--install', BUILD, '--prefix', '/opt/vedette', environment={'DESTDIR': staged})
        assert files(prefix) == files(staged + '/opt/vedette') and os.listdir(staged) == ['opt'], 'DESTDIR differs'
        print(f'{check_files(prefix)} files installed')
        for place in (prefix, staged + '/opt/vedette'):
            stranger = Stranger(place, work)
            program = os.path.join(work, 'cxx')
            with open(program + '.cpp', 'w', encoding='utf-8') as file:
                file.write(CXX_PROGRAM)
            stranger.compile([CXX, '-std=c++20', '-Wno-missing-field-initializers'], program + '.cpp', program)
            version = stranger.ask('--modversion')
            assert stranger.start(program) == f'{version} {version}', 'versions differ'
            assert version in run(os.path.join(place, 'bin/vedette-cli'), '--version')
        print(f'version {version}; {stranger.check_headers(place)} headers in {len(DIALECTS)} dialects')
        for name in examples:
            program = os.path.join(work, name[:-2])
            stranger.compile([CC, '-std=gnu17'], os.path.abspath(os.path.join('docs/examples', name)), program)
            print(f'{name}: {stranger.start(program).splitlines()[-1]}')


if __name__ == '__main__':
    main()
