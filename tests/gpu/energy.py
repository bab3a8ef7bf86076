"""The energies of a result file, each held against the bars for a device with a counter and a power figure.

    energy.py FILE      ends with 0 where every measured case keeps them

Bars: repeatability at most 1% (k = 2) over five windows of ten seconds; counter and integrated power within 2%.
"""
import json
import sys

REPEATABILITY = 0.01
AGREEMENT = 0.02
WINDOWS = 5
SECONDS = 10.0


def kept(figures):
    """What the windows of a case break."""
    windows = figures["windows"]
    ratios = [w["counter_to_integral"] for w in windows if w["counter_to_integral"] is not None]
    worst = max((abs(ratio - 1) for ratio in ratios), default=None)
    broken = []
    if figures["repeatability"] > REPEATABILITY:
        broken.append("repeatability")
    if worst is None or worst > AGREEMENT:
        broken.append("counter against power")
    # Windows end where the counter changes, so their lengths are those asked for to within a tick.
    if len(windows) < WINDOWS or min(w["seconds"] for w in windows) < 0.99 * SECONDS:
        broken.append("windows")
    return worst, broken


def main():
    rows = [line for line in map(json.loads, open(sys.argv[1])) if line["type"] == "result" and line["status"] == "ok"]
    faults = 0
    for row in rows:
        energy = row.get("energy") or {"status": "not asked for", "reason": ""}
        figures = energy.get("figures")
        name = f"{row['case']} on {row['provenance']['fill']}"
        if not figures:
            print(f"{name}: {energy['status']}: {energy['reason']}")
            faults += 1
            continue
        worst, broken = kept(figures)
        faults += bool(broken)
        show = lambda value, unit, digits=1: "unknown" if value is None else f"{value:.{digits}f} {unit}"
        print(
            f"{name}: {figures['pj_per_flop']:.3f} pJ/FLOP, {figures['flop_per_s_per_w'] * 1e-9:.1f} GFLOP/s/W, "
            f"{row['rate']['flop_per_s'] * 1e-12:.1f} TFLOP/s, {figures['mean_power_w']:.1f} W of "
            f"{show(figures['power_limit_w'], 'W')}, repeatability {100 * figures['repeatability']:.2f}%, "
            f"counter against power {show(worst and 100 * worst, '%', 2)}, idle {show(figures['cold_idle_w'], 'W')} cold "
            f"and {show(figures['warm_idle_w'], 'W')} warm, tick {show(energy['meter']['tick_s'], 's', 4)}, "
            f"{show(figures['mean_clock_mhz'], 'MHz', 0)}, {show(figures['temperature_c'], '°C', 0)}, "
            f"held back by {', '.join(figures.get('throttle', [])) or 'nothing'}: {', '.join(broken) or 'ok'}"
        )
    if not rows:
        print("no case was measured")
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
