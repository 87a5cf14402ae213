#!/usr/bin/python3
"""serve_openapi.py VEDETTE-CLI: resources/serve/openapi.json is a sound description, of exactly the paths and methods
that a server has, and what a server answers is what it says."""
import json
import os
import re
import subprocess
import sys
import tempfile

from serve_running import ROOT, SLOW, Running, make_token, take_picture

METHODS = ('get', 'put', 'post', 'delete', 'patch')
UNKNOWN = '0' * 32
TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'null': type(None)}
KEYWORDS = {'type', 'properties', 'required', 'additionalProperties', 'items', 'prefixItems', 'minItems', 'maxItems',
            'enum', 'const', 'minimum', 'maximum', 'pattern', 'maxLength', 'oneOf', '$ref', 'description', 'format'}


# --- A part of JSON Schema: the part that the description uses

def resolve(document, ref):
    assert ref.startswith('#/'), ref
    at = document
    for part in ref[2:].split('/'):
        assert isinstance(at, dict) and part in at, f'{ref} leads nowhere'
        at = at[part]
    return at


def has_type(value, name):
    if name in ('number', 'integer'):
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        return fits and (name == 'number' or value == int(value))
    return isinstance(value, TYPES[name])


def faults(document, schema, value, path='$'):
    """What is wrong with a value, sentence by sentence."""
    if '$ref' in schema:
        return faults(document, resolve(document, schema['$ref']), value, path)
    found = [f'{path}: {value!r:.80} is no {schema["type"]}'] if 'type' in schema and not has_type(value, schema['type']) \
        else []
    if found:
        return found
    if 'enum' in schema and value not in schema['enum'] or 'const' in schema and value != schema['const']:
        found.append(f'{path}: {value!r:.80} is not {schema.get("enum", schema.get("const"))}')
    if 'oneOf' in schema:
        fits = [one for one in schema['oneOf'] if not faults(document, one, value, path)]
        if len(fits) != 1:
            found.append(f'{path}: {len(fits)} of the choices fit {value!r:.200}')
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not schema.get('minimum', value) <= value <= schema.get('maximum', value):
            found.append(f'{path}: {value} is out of range')
    if isinstance(value, str):
        if 'pattern' in schema and not re.search(schema['pattern'], value):
            found.append(f'{path}: {value!r:.80} does not match {schema["pattern"]}')
        if len(value) > schema.get('maxLength', len(value)):
            found.append(f'{path}: too long')
    if isinstance(value, list):
        found += faults_of_list(document, schema, value, path)
    if isinstance(value, dict):
        found += faults_of_object(document, schema, value, path)
    return found


def faults_of_list(document, schema, value, path):
    found = []
    if not schema.get('minItems', 0) <= len(value) <= schema.get('maxItems', len(value)):
        found.append(f'{path}: {len(value)} items')
    kinds = schema.get('prefixItems', [])
    for i, item in enumerate(value):
        kind = kinds[i] if i < len(kinds) else schema.get('items', {})
        found += faults(document, kind, item, f'{path}[{i}]')
    return found


def faults_of_object(document, schema, value, path):
    known = schema.get('properties', {})
    found = [f'{path}: {name} is missing' for name in schema.get('required', []) if name not in value]
    if schema.get('additionalProperties', True) is False:
        found += [f'{path}: {name} is not described' for name in value if name not in known]
    for name, item in value.items():
        if name in known:
            found += faults(document, known[name], item, f'{path}.{name}')
    return found


def check_checker():
    """The checker itself finds what it must."""
    document = {'a': {'type': 'integer', 'minimum': 1}}
    schema = {'type': 'object', 'required': ['n'], 'additionalProperties': False,
              'properties': {'n': {'$ref': '#/a'}, 'l': {'type': 'array', 'items': {'enum': ['x']}, 'maxItems': 1},
                             'o': {'oneOf': [{'type': 'string', 'pattern': '^b'}, {'type': 'null'}]}}}
    assert not faults(document, schema, {'n': 1, 'l': ['x'], 'o': None})
    for bad in ([], {}, {'n': 0}, {'n': True}, {'n': 1.5}, {'n': 1, 'z': 1}, {'n': 1, 'l': ['y']},
                {'n': 1, 'l': ['x', 'x']}, {'n': 1, 'o': 'a'}, {'n': 1, 'o': 3}):
        assert faults(document, schema, bad), bad


# --- The description by itself

def walk(value, path=''):
    yield path, value
    if isinstance(value, (dict, list)):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from walk(item, f'{path}/{name}')


def schemas_of(document):
    """Every schema that stands somewhere, with those inside it."""
    def inside(schema, path):
        yield path, schema
        for name, item in schema.get('properties', {}).items():
            yield from inside(item, f'{path}/{name}')
        for name in ('oneOf', 'prefixItems'):
            for i, item in enumerate(schema.get(name, [])):
                yield from inside(item, f'{path}/{name}/{i}')
        if 'items' in schema:
            yield from inside(schema['items'], f'{path}/items')
    for name, schema in document['components']['schemas'].items():
        yield from inside(schema, name)
    for path, value in walk(document['paths']):
        if path.endswith('/schema'):
            yield from inside(value, path)


def operations(document):
    for path, item in document['paths'].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def check_structure(document):
    assert re.fullmatch(r'3\.1\.\d+', document['openapi']) and document['info']['title'] and document['info']['version']
    used = set()
    for path, value in walk(document):
        if path.endswith('/$ref'):
            resolve(document, value)
            used.add(value)
    for kind, parts in document['components'].items():
        for name in parts if kind != 'securitySchemes' else ():
            assert f'#/components/{kind}/{name}' in used or name in ('ClientMessage',), f'{kind}/{name} is not used'
    for path, schema in schemas_of(document):
        assert set(schema) <= KEYWORDS, f'{path}: {set(schema) - KEYWORDS}'
        assert set(schema.get('required', [])) <= set(schema.get('properties', {})), path
    ids, tags = [], {tag['name'] for tag in document['tags']}
    for path, method, operation in operations(document):
        where = f'{method} {path}'
        ids.append(operation['operationId'])
        assert operation['summary'] and set(operation['tags']) <= tags and operation['responses'], where
        for code, response in operation['responses'].items():
            response = resolve(document, response['$ref']) if '$ref' in response else response
            assert re.fullmatch(r'[1-5]\d\d', code) and response['description'], f'{where} {code}'
        needs = {part for part in re.findall(r'{(\w+)}', path)}
        given = [resolve(document, one['$ref']) if '$ref' in one else one
                 for one in document['paths'][path].get('parameters', []) + operation.get('parameters', [])]
        assert needs == {one['name'] for one in given if one['in'] == 'path' and one['required']}, where
        assert ('401' in operation['responses']) == (operation.get('security') != []), where
        assert '403' in operation['responses'] and '405' in operation['responses'], where
    assert len(ids) == len(set(ids)), 'an operationId stands twice'
    assert set(document['security'][0]) == set(document['components']['securitySchemes'])
    return len(ids)


# --- The description and a server

def routes(source):
    """What the server's own table says."""
    with open(os.path.join(ROOT, source), encoding='utf-8') as file:
        found = re.findall(r'{"([A-Z]+)", "(/[^"]*)", (true|false),', file.read())
    return {(method.lower(), path): token == 'true' for method, path, token in found}


def check_routes(document, server, token):
    described = {(method, path): operation.get('security') != [] for path, method, operation in operations(document)}
    assert described == routes('core/serve/routes.c'), \
        f'not the same: {set(described.items()) ^ set(routes("core/serve/routes.c").items())}'
    for path, item in document['paths'].items():
        real = re.sub(r'{\w+}', UNKNOWN, path)
        there = {method for method in METHODS if method in item}
        for method in METHODS:
            status, headers, body = server.ask(method.upper(), real, b'{}' if method in ('put', 'post', 'patch') else None,
                                               token=token)
            where = f'{method} {real}: {status}'
            if method in there:
                assert status not in (401, 405), where
                assert str(status) in item[method]['responses'], where
                continue
            assert status == 405, where
            allowed = {one.strip().lower() for one in headers['Allow'].split(',')}
            assert allowed - {'head', 'options'} == there, f'{where}: {allowed}'
            assert not faults(document, document['components']['schemas']['Error'], body), body


def check_queries(document, server, token):
    """Words of a query that are not described are refused, everywhere."""
    for path, method, operation in operations(document):
        body = b'{}' if method in ('post', 'patch') else None
        status, _, answer = server.ask(method.upper(), re.sub(r'{\w+}', UNKNOWN, path) + '?wings=2', body, token=token)
        wanted = '426' if path == '/stream/detection' else '422'  # it looks at the query of WebSockets alone
        assert str(status) == wanted and wanted in operation['responses'], f'{method} {path}: {status} {answer}'
        assert wanted == '426' or answer['field'] == 'wings' and answer['value'] in (2, '2'), answer


class Asked:
    """Asks, and holds the answer against what is described for it."""

    def __init__(self, document, server, token):
        self.document, self.server, self.token = document, server, token
        self.seen = set()

    def __call__(self, wanted, method, path, body=None, kind='application/json', form=None, token=None, headers=None):
        """form: the path as it is described."""
        form = form or path.split('?')[0]
        status, got, answer = self.server.ask(method, path, body, kind, self.token if token is None else token, headers)
        assert status == wanted, f'{method} {path}: {status} {answer}'
        response = self.document['paths'][form][method.lower()]['responses'][str(status)]
        response = resolve(self.document, response['$ref']) if '$ref' in response else response
        self.seen.add((form, method.lower(), str(status)))
        for name in response.get('headers', {}):
            assert got[name], f'{method} {path}: {name} is missing'
        if 'content' not in response:
            assert not answer, f'{method} {path}: {answer}'
            return answer
        media = got['Content-Type'].split(';')[0]
        assert media in response['content'], f'{method} {path}: {media}'
        wrong = faults(self.document, response['content'][media]['schema'],
                       answer.decode() if isinstance(answer, bytes) else answer)
        assert not wrong, f'{method} {path}: {wrong}'
        return answer


def check_answers(ask, picture):
    made = ask(201, 'POST', '/stream/sessions', {'fps_limit': 30})
    ask(201, 'POST', '/stream/sessions?fps_limit=3')
    session, process = f'/stream/sessions/{made["client_id"]}', made['process_endpoint']
    form, stream = '/stream/sessions/{client_id}', '/stream/process/{client_id}'
    ask(202, 'POST', f'{process}?frame_id=5', picture, 'image/jpeg', form=stream)
    ask(202, 'POST', f'{process}?frame_id=late', b'no picture', 'image/png', form=stream)
    ask(415, 'POST', process, b'?', 'text/plain', form=stream)
    ask(400, 'POST', process, b'{', form=stream)
    ask(413, 'POST', process, bytes(9 << 20), 'image/jpeg', form=stream)
    ask(200, 'GET', session, form=form)
    ask(200, 'GET', f'{session}/stats', form=form + '/stats')
    ask(200, 'GET', f'{session}/config', form=form + '/config')
    ask(200, 'PATCH', f'{session}/config', {'quality_mode': 'fast'}, form=form + '/config')
    ask(422, 'PATCH', f'{session}/config', {'quality_mode': 'slow'}, form=form + '/config')
    ask(422, 'POST', '/stream/sessions', {'iou_threshold': 2})
    ask(422, 'POST', '/stream/sessions?iou_threshold=2')
    ask(422, 'POST', f'{process}?frame=5', picture, 'image/jpeg', form=stream)
    ask(400, 'POST', '/stream/sessions', b'[')
    ask(200, 'GET', '/stream/stats')
    ask(200, 'GET', '/stream/health', token='')
    ask(200, 'GET', '/stream/cameras')
    ask(201, 'POST', '/stream/ticket')
    ask(200, 'GET', '/metrics')
    for file in ('', 'page.js', 'page.css', 'icon.svg', 'openapi.json'):
        ask(200, 'GET', f'/{file}', form='/{file}' if file else '/', token='')
    ask(404, 'GET', '/nothing.js', form='/{file}')
    ask(404, 'GET', f'/stream/events/{UNKNOWN}', form='/stream/events/{client_id}')
    ask(426, 'GET', '/stream/detection')
    ask(401, 'GET', '/stream/stats', token='')
    ask(401, 'POST', '/stream/sessions', {}, token='another-token-0123456789')
    ask(403, 'GET', '/stream/stats', headers={'Origin': 'https://example.org'})
    return made


def check_messages(document, server, made, token):
    """The answers that waited, as events."""
    kind = {'$ref': '#/components/schemas/ServerMessage'}
    out = subprocess.run(['curl', '-sS', '-N', '--max-time', '2', '-H', f'Authorization: Bearer {token}',
                          server.url.rstrip('/') + made['sse_endpoint']], capture_output=True, text=True, check=False,
                         timeout=60 * SLOW).stdout
    messages = [json.loads(line[5:]) for line in out.splitlines() if line.startswith('data:')]
    for message in messages:
        wrong = faults(document, kind, message)
        assert not wrong, (message, wrong)
    types = {json.dumps(message.get('frame_id', message.get('data', {}).get('frame_id'))): message['type']
             for message in messages}
    assert types == {'5': 'detection_result', '"late"': 'error'}, types
    result = next(message for message in messages if message['type'] == 'detection_result')
    assert result['data']['detections'], 'nothing was found on the road'


def main():
    check_checker()
    with open(os.path.join(ROOT, 'resources/serve/openapi.json'), encoding='utf-8') as file:
        document = json.load(file)
    count = check_structure(document)
    with tempfile.TemporaryDirectory(prefix='vedette-openapi-') as folder:
        clip = os.path.join(folder, 'road.mp4')
        subprocess.run([sys.argv[1], 'demo', clip, '--frames', '90', '--seed', '4', '--size', '640x360'], check=True,
                       capture_output=True, timeout=60 * SLOW)
        picture = take_picture(clip, 2.5, os.path.join(folder, 'road.jpg'))
        tokens, token = make_token(folder)
        with Running(os.path.abspath(sys.argv[1]), '--model', 'demo', '--token-file', tokens) as server:
            status, _, served = server.ask('GET', '/openapi.json')
            assert status == 200 and served == document, 'the server has another description'
            check_routes(document, server, token)
            check_queries(document, server, token)
            ask = Asked(document, server, token)
            made = check_answers(ask, picture)
            check_messages(document, server, made, token)
            ask(204, 'DELETE', f'/stream/sessions/{made["client_id"]}', form='/stream/sessions/{client_id}')
            ask(404, 'GET', f'/stream/sessions/{made["client_id"]}', form='/stream/sessions/{client_id}')
        print(f'{count} operations, {len(ask.seen)} of their answers seen')


if __name__ == '__main__':
    main()
