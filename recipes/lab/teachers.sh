#!/bin/sh
# The traces of recipes/lab/teachers.yaml and its study, offline on two cores: sh recipes/lab/teachers.sh
# The server is another project's, `transformers serve` (pip install 'transformers[serving]'), with the lab's fair
# teacher behind it. Killed and started again, it goes on where it stopped.
set -eu
out=out/teachers
mkdir -p "$out"
ln -sfn "$(python -c 'from fairreason.models.folder import WEIGHTS; print(WEIGHTS / "lab-teacher")')" "$out/lab-teacher"

transformers serve "$out/lab-teacher" --device cpu --host 127.0.0.1 --port 8011 >"$out/server.log" 2>&1 &
server=$!
trap 'kill $server' EXIT
until python -c 'import socket; socket.create_connection(("127.0.0.1", 8011), 1)' 2>/dev/null; do
  kill -0 $server || exit 1
  sleep 1
done

export OPENAI_API_KEY=none
for bench in lab-bias lab-bias-vl lab-math lab-chart; do
  fairreason traces "$bench" --teacher "$out/lab-teacher" --base-url http://127.0.0.1:8011/v1 --temperature 0 \
    --max-new-tokens 96 --limit 400 --concurrency 4 --out "$out/server/$bench.jsonl"
  fairreason traces "$bench" --teacher self --model lab --samples 8 \
    --max-new-tokens 96 --limit 400 --out "$out/self/$bench.jsonl"
done
fairreason study recipes/lab/teachers.yaml --out "$out/study" --workers 2
