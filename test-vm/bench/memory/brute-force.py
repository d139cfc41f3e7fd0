"""Brute force by numpy: brute-force.py VECTORS.f32 QUESTIONS.f32 OUT.json; writes `took_ms` and the ten `nearest` of each question."""
import json
import sys
import time

import numpy

dimensions = 384
vectors = numpy.fromfile(sys.argv[1], dtype=numpy.float32).reshape(-1, dimensions)
questions = numpy.fromfile(sys.argv[2], dtype=numpy.float32).reshape(-1, dimensions)
took_ms = []
nearest = []
for asked in questions:
    begin = time.perf_counter()
    cosines = vectors @ asked
    best = numpy.argpartition(cosines, -10)[-10:]
    best = best[numpy.argsort(-cosines[best])]
    took_ms.append((time.perf_counter() - begin) * 1000)
    # memories are numbered from 1
    nearest.append((best + 1).tolist())
with open(sys.argv[3], "w", encoding="utf-8") as file:
    json.dump({"took_ms": took_ms, "nearest": nearest}, file)
