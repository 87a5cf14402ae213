"""What a process holds in memory that is its own: without the pages of files, which the kernel takes and
gives back as it likes."""


def own_bytes(pid):
    """Anonymous and shared memory, in RAM or swapped out."""
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as stream:
        status = dict(line.split(':', 1) for line in stream)
    return sum(int(status[name].split()[0]) for name in ('RssAnon', 'RssShmem', 'VmSwap')) * 1024
