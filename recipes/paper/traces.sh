#!/bin/sh
# The traces that recipes/paper's studies with kd need, for every strategy alike: sh recipes/paper/traces.sh, then each with
# --set "mixture.bias={traces:traces/bbq.jsonl: 1}" --set "mixture.reasoning={traces:traces/mixture-of-thoughts.jsonl: 1}"
# (or vlbiasbench.jsonl and llava-cot.jsonl).
# The first two cost money, at most 60 dollars each. Broken off and started again, it goes on where it stopped. The paper's
# teachers, DeepSeek-R1 and o4-mini, are no longer sold under their makers' names (docs/traces.md, Teachers): say where else.
set -eu
: "${R1_URL:?the address of a server with DeepSeek-R1, as https://host.example/v1}"
: "${R1_MODEL:?its name there}" "${R1_PRICE:?US dollars for a million tokens read and written, as 0.55,2.19}"
: "${O4_MINI_URL:?the address of a server with o4-mini, or with a successor}"
: "${O4_MINI_MODEL:?its name there}" "${O4_MINI_PRICE:?as R1_PRICE}"

fairreason traces bbq --teacher deepseek-reasoner --base-url "$R1_URL" --model "$R1_MODEL" --price "$R1_PRICE" \
  --max-cost 60 --limit 6000 --out traces/bbq.jsonl
fairreason traces vlbiasbench/base --teacher o4-mini --base-url "$O4_MINI_URL" --model "$O4_MINI_MODEL" \
  --price "$O4_MINI_PRICE" --max-cost 60 --limit 6000 --out traces/vlbiasbench.jsonl
fairreason traces mixture-of-thoughts --teacher source --limit 20000 --out traces/mixture-of-thoughts.jsonl
fairreason traces llava-cot --teacher source --limit 20000 --out traces/llava-cot.jsonl
