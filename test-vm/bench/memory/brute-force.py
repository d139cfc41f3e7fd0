"""Brute force by numpy: brute-force.py VECTORS.f32 MEMORIES QUESTIONS FIGURES; writes milliseconds of each question as JSON."""
import json
import sys
import time

import numpy

dimensions = 384
vectors = numpy.fromfile(sys.argv[1], dtype=numpy.float32).reshape(int(sys.argv[2]), dimensions)
took = []
for number in range(int(sys.argv[3])):
    asked = vectors[(number * 7919) % len(vectors)]
    begin = time.perf_counter()
    cosines = vectors @ asked
    best = numpy.argpartition(cosines, -10)[-10:]
    best[numpy.argsort(-cosines[best])]
    took.append((time.perf_counter() - begin) * 1000)
with open(sys.argv[4], "w", encoding="utf-8") as file:
    json.dump(took, file)
