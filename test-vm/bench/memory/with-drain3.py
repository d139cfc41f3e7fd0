"""drain3 on the same lines: reads one JSON string a line from the file given, prints what it came to as JSON."""

import json
import resource
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import RegexMaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

# The masks of drain3's own example configuration.
MASKS = [
    (r"((?<=[^A-Za-z0-9])|^)(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))((?=[^A-Za-z0-9])|$)", "ID"),
    (r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)([0-9A-F]{4} ?){4,}((?=[^A-Za-z0-9])|$)", "SEQ"),
    (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
    (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
]


def miner():
    config = TemplateMinerConfig()
    config.masking_instructions = [RegexMaskingInstruction(pattern, name) for pattern, name in MASKS]
    return TemplateMiner(config=config)


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    plain = miner()
    groups, wall_s, cpu_s = timed(lambda: [plain.add_log_message(line)["cluster_id"] for line in lines])
    both = miner()

    def with_parameters():
        for line in lines:
            both.extract_parameters(both.add_log_message(line)["template_mined"], line)

    _, parameters_wall_s, parameters_cpu_s = timed(with_parameters)
    print(
        json.dumps(
            {
                "groups": groups,
                "wall_s": wall_s,
                "cpu_s": cpu_s,
                "parameters_wall_s": parameters_wall_s,
                "parameters_cpu_s": parameters_cpu_s,
                "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


main()
