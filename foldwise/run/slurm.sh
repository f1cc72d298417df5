#!/usr/bin/env bash
# Train the stale fold in line SLURM_ARRAY_TASK_ID of a list. Submit it in the folder of params.yaml,
# on a file system that all nodes share, with the environment active:
#   foldwise run --list .dvc/tmp/stale.txt
#   sbatch --wait --array=1-"$(wc -l < .dvc/tmp/stale.txt)" foldwise/run/slurm.sh .dvc/tmp/stale.txt
#   dvc repro
# Options after `sbatch` override these, for example --gpus-per-task=1, --partition or --array=1-50%8.
#SBATCH --job-name=foldwise
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --time=04:00:00
#SBATCH --output=.dvc/tmp/slurm-%A-%a.log
set -euo pipefail

list=${1:?"name the list: sbatch --array=1-N foldwise/run/slurm.sh LIST"}
line=${SLURM_ARRAY_TASK_ID:?"it is not set; submit this script with sbatch --array=1-N"}

stage=$(sed -n "${line}p" "$list")
if [[ -z $stage ]]; then
  echo "error: $list has no line $line; use --array=1-$(wc -l < "$list")" >&2
  exit 1
fi
exec dvc --wait-for-lock repro --single-item "$stage"
