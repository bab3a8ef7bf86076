//! The texts that only the HTML page has. Each stands with its translation, so that none can be forgotten.
//!
//! `{0}`, `{1}` … are filled in by [`fill`].

use super::Lang;
use std::fmt::Write as _;

macro_rules! words {
    ($($name:ident: $en:literal | $zh:literal;)*) => {
        /// The page's texts in one language.
        pub(crate) struct Words { $(pub(crate) $name: &'static str,)* }
        static EN: Words = Words { $($name: $en,)* };
        static ZH: Words = Words { $($name: $zh,)* };
        /// All texts: name, English, Chinese.
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $zh),)*];
    };
}

/// A language's texts.
pub(crate) fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::En => &EN,
        Lang::Zh => &ZH,
    }
}

/// A text with its places filled in: `{0}` by the first value, and so on. What the values hold is not looked into.
pub(crate) fn fill(text: &str, values: &[String]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (place, tail) = after.split_once('}').unwrap_or((after, ""));
        match place.parse::<usize>().ok().and_then(|place| values.get(place)) {
            Some(value) => out.push_str(value),
            // Writing to a string can't fail.
            None => drop(write!(out, "{{{place}}}")),
        }
        rest = tail;
    }
    out + rest
}

words! {
    skip: "Skip to the answer" | "跳到结论";
    contents: "Contents" | "目录";
    filter: "Show" | "筛选";
    show_all: "Show all" | "全部显示";
    dark: "Dark" | "深色";
    comma: ", " | "，";
    counts: "Devices: {0} · runs: {1} · verified figures: {2} · common cases: {3}" | "设备 {0} · 测试 {1} · 已校验数值 {2} · 共同项 {3}";
    made_by: "Made by" | "生成工具：";
    self_contained: "This file holds everything that it shows and asks for nothing over the network." | "本文件包含所显示的全部内容，不访问网络。";
    left_out: "Not on this page: {0} more. CSV and JSON have them all." | "另有 {0} 项未列于本页，完整内容见 CSV 和 JSON。";

    no_figures: "None of these runs has a verified figure" | "这些测试中没有任何通过校验的数值";
    no_figures_why: "What became of their cases stands below." | "各项的结果见下文。";
    fastest: "Fastest at {0}: {1}, {2} times the speed of {3}" | "{0} 最快：{1}，速度是 {3} 的 {2} 倍";
    no_difference: "At {0} no difference was seen between {1} and {2}" | "{0}：{1} 与 {2} 之间未见差异";
    alone: "{0}: only {1} has measured it, and reaches {2}" | "{0}：只有 {1} 有测量结果，达到 {2}";
    not_common: "{0}: {1} and {2} have no measured case in common" | "{0}：{1} 与 {2} 没有共同的已测项";
    how_sure: "95% interval {0} to {1}, geometric mean over {2} equal cases; {3}." | "95% 区间 {0} 至 {1}，{2} 个相同项的几何平均；{3}。";
    apart: "Not comparable with these, as measured otherwise ({0}): {1}, at best {2}." | "测量方式不同（{0}），不与上述结果比较：{1}，最高 {2}。";
    no_energy: "Energy was not measured, so nothing is said of what this cost; the reasons stand under Energy." | "没有测得能耗，因此不对能耗作任何判断；原因见“能耗”一节。";
    least_energy: "Least energy there: {0}, at best {1} pJ/FLOP; {3} needs {2} times as much (interval {4} to {5})." | "其中能耗最低：{0}，最低 {1} pJ/FLOP；{3} 的能耗是它的 {2} 倍（区间 {4} 至 {5}）。";
    energy_no_difference: "Energy there: no difference between {0} (at best {1} pJ/FLOP) and {3}: ratio {2} (interval {4} to {5})." | "其中能耗：{0}（最低 {1} pJ/FLOP）与 {3} 无差异，比值 {2}（区间 {4} 至 {5}）。";
    energy_alone: "Energy there was measured on {0} only: at best {1} pJ/FLOP." | "其中只有 {0} 测得能耗：最低 {1} pJ/FLOP。";
    rejected: "Files left out of this comparison: {0}" | "未纳入对比的文件：{0}";
    bars: "Speed at {0} as a multiple of {1}" | "{0} 的速度，以 {1} 为 1";
    bars_energy: "Work per energy at {0} as a multiple of {1}" | "{0} 每单位能量的运算量，以 {1} 为 1";
    chart: "Chart" | "图";
    relative: "Ratio" | "比值";
    best_rate: "Best rate" | "最高速率";
    best_energy: "Least energy" | "最低能耗";
    few_cases: "few cases: {0}" | "项数少：{0}";
    none_in_common: "nothing in common" | "无共同项";
    alone_short: "no other" | "无其他设备";
    leaders: "Who is ahead at what" | "各项领先者";
    leaders_how: "The lead over the next one, with its interval and the number of common cases." | "领先第二名的倍数，附区间和共同项数。";
    task: "Operation" | "运算";
    first: "Fastest" | "最快";
    lead: "Lead" | "领先";
    energy_first: "Least energy" | "能耗最低";
    not_measured: "not measured" | "未测量";

    sides_how: "For each operation and type: the order over all common cases, then each case. A figure leads to its samples, its verification and its command line." | "按运算和类型列出：先是全部共同项的排序，然后是每一项。点击数值可查看其样本、校验和命令行。";
    rates_caption: "{0}, rates in {1}" | "{0}，速率（{1}）";
    rates_how: "Median with its 95% interval; the fastest by each kind of clock is bold." | "中位数及其 95% 区间；每种时钟下最快者加粗。";
    other_clock: "by another clock" | "另一种时钟";

    devices: "Devices, runs and differences" | "设备、测试与差异";
    devices_caption: "The devices" | "设备一览";
    environment_differs: "Differences between the runs: {0}." | "各次测试之间的差异：{0} 处。";
    environment_why: "Each of them may be why figures differ, apart from the devices themselves." | "除设备本身外，这些都可能是数值不同的原因。";
    environment_differing: "What differs" | "不同之处";
    environment_same: "The runs don't differ in what they tell of their surroundings." | "各次测试自述的环境没有差异。";
    environment_one: "All figures are of one run, and so of one machine and one environment." | "所有数值来自同一次测试，即同一台机器、同一环境。";
    environment_common: "What all runs have in common" | "各次测试的共同环境";
    environment: "The environment" | "环境";
    not_told: "not told" | "未提供";
    in_runs: "(runs {0})" | "（测试 {0}）";
    measured_cases: "Measured / all rows" | "已测行 / 全部行";
    device_memory: "Memory" | "内存";
    stated_clock: "Clock as stated" | "标称频率";
    ended: "End" | "结束";
    ended_complete: "complete" | "完整";
    ended_interrupted: "interrupted" | "中断";
    ended_cut: "cut off" | "截断";
    absent: "Absent backends" | "不可用的后端";
    problems: "Problems of the file" | "文件中的问题";
    problems_count: "problems: {0}" | "问题：{0}";
    none: "none" | "无";
    run_named: "Run {0}" | "测试 {0}";
    rows_of: "{0} rows of {1} planned" | "计划 {1} 行，实有 {0} 行";
    dirty: "with changes" | "含未提交的修改";
    seed: "seed" | "种子";
    profile: "Profile" | "配置";

    rooflines_how: "A point is the fastest kernel of a case. The flat lines are arithmetic peaks and the slope is the memory's bandwidth, both measured on the device by verified probes; the dashed slope is that of its fastest cache. On vector units f16 rows are computed in f32 unless their name ends in -acc16, so the f32 peak is theirs." | "每个点是一项中最快的内核。水平线是算力峰值，斜线是内存带宽，均由经校验的探测在该设备上测得；虚线是最快缓存的带宽。在向量单元上，名称不以 -acc16 结尾的 f16 以 f32 计算，因此适用 f32 峰值。";
    roofline_of: "Roofline of {0}" | "{0} 的屋顶线";
    roofline_desc: "Both axes are logarithmic. The ceilings stand in a table below, and each point's figures under Every number." | "两轴均为对数刻度。上限见下表，各点数值见“全部数值”一节。";
    intensity_axis: "FLOP per byte" | "每字节 FLOP";
    ceilings_caption: "Ceilings of each device" | "各设备的上限";
    ceiling: "Ceiling" | "上限";
    origin: "Origin" | "来源";
    documented: "makers' documents" | "厂商文档";
    memory_level: "memory" | "内存";
    cache_level: "cache, working set {0}" | "缓存，工作集 {0}";

    shares_how: "The rate divided by what the device can attain for that case: the smaller of its arithmetic peak and its bandwidth times the case's FLOP per byte, both as measured." | "速率除以该设备在该项上可达到的速率：算力峰值与“带宽 × 每字节 FLOP”中较小者，二者均为实测。";
    shares_caption: "Share of the ceiling, median over the cases" | "达到上限的比例，各项的中位数";
    shares_cell: "Below: the least and the greatest share, and the number of cases." | "下方：最低与最高比例及项数。";
    shares_none: "No ceilings are known of these devices." | "这些设备没有已知的上限。";

    energy_how: "Joules stand here only where a meter was read. Energies are compared only among meters that include the same parts of the machine." | "只有读取了功率计才在此给出能量。只有计量范围相同的功率计之间才比较能量。";
    energy_roofline: "Energy rooflines" | "能耗屋顶线";
    energy_roofline_of: "Energy roofline of {0}" | "{0} 的能耗屋顶线";
    energy_roofline_desc: "Both axes are logarithmic. The figures stand in the table below." | "两轴均为对数刻度。数值见下表。";
    energy_model: "What a FLOP and a byte take" | "每次浮点运算与每字节的能耗";
    energy_model_how: "Joules = pJ/FLOP × FLOP + pJ/byte × bytes + constant power × seconds, fitted to probes on arrays that no cache holds; behind each figure stands its standard error. The curve above is this model." | "能量 = pJ/FLOP × FLOP + pJ/字节 × 字节 + 恒定功率 × 秒，由数组大于所有缓存的探测拟合得出；各数值后为其标准误差。上图曲线即此模型。";
    constant_power: "Constant power" | "恒定功率";
    fit_error: "Fit error" | "拟合误差";
    no_fit: "too few probes" | "探测不足";
    energy_probes: "Energy of the probes" | "各探测的能耗";
    energy_caption: "Measured energy" | "实测能耗";
    energy_interval: "Below pJ/FLOP: the interval of the stated uncertainty (k = 2), by the meter and by the repeated windows." | "pJ/FLOP 下方：按功率计与重复窗口给出的不确定度区间（k = 2）。";
    mean_power: "Mean power" | "平均功率";
    joules_per_run: "J per run" | "每次运行 J";
    uncertainty: "Uncertainty" | "不确定度";
    windows: "Windows" | "窗口数";
    meter: "Meter" | "功率计";
    energy_states: "What became of each device's energy measurements" | "各设备能耗测量的结果";
    outcome: "Outcome" | "结果";
    energy_not_asked: "not asked for in its run" | "该次测试未要求测量";
    of_results: "results: {0}" | "结果数：{0}";
    tried: "What was looked for" | "查找过的功率计";
    estimates: "Estimated upper bounds" | "估计的上界";
    estimates_how: "Nobody measured these: rated power times time. They are ranked nowhere." | "未经测量：额定功率乘以时间。不参与任何排名。";
    rated_power: "Rated power" | "额定功率";
    at_most_joules: "At most per run" | "每次运行至多";

    library_how: "This program's own kernels, which are the same source on every device of an API, against the library on the same device, case by case. Above 1 the kernel is faster." | "本程序自带的内核（同一 API 的所有设备共用同一份源码）与同一设备上的库逐项对比。大于 1 表示内核更快。";
    library_caption: "Kernel against library" | "内核与库对比";
    library_none: "No device here measured both a kernel of this program and a library in the same case." | "没有设备在同一项上同时测得本程序的内核和库。";
    kernel_to_library: "Kernel / library" | "内核 / 库";
    portable_kernel: "Portable kernel" | "可移植内核";
    the_library: "Library" | "库";
    verdict: "Verdict" | "结论";
    kernel_faster: "kernel faster" | "内核更快";
    library_faster: "library faster" | "库更快";

    scaling_how: "Rates over the work of a case. A line joins the cases of a ladder, which differ in size only; elsewhere the cases differ in kind too and stand as points. The number at a line's end is the device's in the legend." | "速率随每项工作量的变化。连线连接只在规模上不同的阶梯项；其余各项类型也不同，只画点。线端数字对应图例中的设备。";
    scaling_ladder: "{0}, ladder of sizes" | "{0}，规模阶梯";
    scaling_all: "{0}, all shapes" | "{0}，全部形状";
    scaling_desc: "Both axes are logarithmic. The figures stand in the table of the same operation and type under Cases side by side." | "两轴均为对数刻度。数值见“逐项并列对比”中同一运算和类型的表。";
    scaling_none: "No device measured more than one size." | "没有设备测量过一种以上的规模。";
    work_axis: "FLOP of one run" | "单次运行 FLOP";

    memory: "Memory, caches and transfers" | "内存、缓存与传输";
    memory_how: "What the devices' own probes reached at best, with verified output. Bandwidths count reads and writes together." | "各设备自身探测达到的最好成绩，输出均经校验。带宽为读写合计。";
    memory_none: "No ceilings were probed in these runs." | "这些测试没有探测上限。";
    memory_caption: "Memory bandwidth by kernel, beyond every cache" | "各内核的内存带宽，超出所有缓存";
    sweep: "Cache sweep" | "缓存扫描";
    sweep_caption: "Bandwidth over the working set" | "带宽随工作集的变化";
    sweep_how: "The fastest kernel of each size. The number at a line's end is the device's in the legend." | "每种大小取最快的内核。线端数字对应图例中的设备。";
    sweep_desc: "Both axes are logarithmic. The same figures stand in the table below." | "两轴均为对数刻度。同样的数值见下表。";
    sweep_table: "Bandwidth by working set, about" | "各工作集（约）的带宽";
    set_axis: "bytes in the loop" | "循环所用字节";
    transfers: "Transfers" | "传输";
    transfers_caption: "Copies between the host's memory and the device's" | "主机内存与设备内存之间的拷贝";
    latency: "Latencies" | "延迟";
    latency_caption: "What small things cost, by the host's clock" | "小操作的开销，按主机时钟";
    missing_caption: "What is not known, and why" | "未知项及原因";
    entries: "entries: {0}" | "条目：{0}";

    chips_how: "Subjects that are one physical chip, compared with each other over equal cases: what the API and its driver make of the same silicon." | "属于同一物理芯片的各项在相同条件下互相比较：同一块芯片经由不同 API 和驱动的表现。";
    chips_caption: "Speed on {0}, the fastest API as 1" | "{0} 上的速度，以最快的 API 为 1";
    chips_none: "No chip is here through more than one API." | "没有芯片经由一种以上的 API 出现。";
    chip_apis: "Reached through {0}." | "经由 {0} 访问。";
    known_as: "Known as one by: {0}." | "判定为同一芯片的依据：{0}。";

    support_how: "What became of each operation and type on each device." | "各设备上每种运算和类型的结果。";
    support_caption: "Support matrix" | "支持矩阵";
    measured_of: "measured: {0} of {1}" | "已测 {0} / {1}";
    faults: "faults: {0}" | "错误：{0}";
    reasons_caption: "Why figures are missing" | "缺少数值的原因";

    evidence: "Every number" | "全部数值";
    evidence_how: "Each figure with what it rests on. Under a shape stand the command lines that give its rows again. A number of samples opens their list, in the order of measuring and in the unit of the median; where there is no room for all, it has evenly spaced ones, and in brackets the least and the greatest of all. An exclamation mark behind the runs says that times had not settled before the first sample." | "每个数值及其依据。每个形状下有可重现各行的命令行。点击样本数可展开样本列表，按测量顺序，单位与中位数相同；放不下时等距选取，括号内为全部样本的最小值和最大值。运行次数后的感叹号表示首个样本之前时间尚未稳定。";
    commands: "Command lines" | "命令行";
    evidence_caption: "Results of {0}" | "{0} 的结果";
    results: "results: {0}" | "结果数：{0}";
    of_ceiling: "Of ceiling" | "占上限";
    checked: "Verification" | "校验";
    error_bound: "Error ≤ bound" | "误差 ≤ 上界";
    site: "Devices and runs" | "设备与测试";
    site_about: "Measurements by accelbench: a page for each device and each run, and the data to download." | "由 accelbench 测得：每个设备、每次测试各有一页，数据可供下载。";
    site_counts: "Devices: {0} · runs: {1} · results: {2}" | "设备 {0} · 测试 {1} · 结果 {2}";
    site_no_ranking: "Best rates stand here as they are; they may be of different shapes. Devices are compared case by case on the runs' pages." | "此处仅列出最高速率，形状可能不同；逐项对比见各次测试的页面。";
    site_runs: "The runs" | "测试一览";
    site_last: "Latest run" | "最近一次测试";
    site_fastest: "Best rate" | "最高速率";
    site_bandwidth: "Memory bandwidth" | "内存带宽";
    site_best: "Best rate of each operation and type" | "各运算和类型的最高速率";
    site_of_device: "What this device reached at best, over all of its runs. Each figure leads to its run." | "该设备在其全部测试中达到的最好成绩。点击数值可查看其所属测试。";
    site_data: "Data" | "数据";
    site_file: "run file" | "测试文件";
    trends_title: "Results over time" | "结果随时间的变化";
    trends_answer: "At their last change {0} series became worse and {1} better; {2} drift" | "最近一次变化后 {0} 个序列变差，{1} 个变好；{2} 个缓慢漂移";
    trends_about: "A series is one case on one device with one driver and one clock, run after run." | "一个序列是同一设备、同一驱动、同一时钟下的同一项，按测试先后排列。";
    trends_how: "Levels hold between change points, which E-divisive with medians finds (p < 0.01). A drift is a slow change in steps that a gate does not notice. What is not called a change may still be one that is too small to be told from noise." | "变化点由基于中位数的 E-divisive 方法找出（p < 0.01），两点之间为一个水平。漂移是每步都小到门禁察觉不到的缓慢变化。未列为变化的，也可能是小到无法与噪声区分的变化。";
    trends_counts: "Series: {0} · results: {1}" | "序列 {0} · 结果 {1}";
    trends_series: "Series" | "序列";
    trends_charts: "Charts" | "图表";
    trends_changes: "Change points" | "变化点";
    trends_desc: "A point is a run with its 95% interval, a line a level, a dashed line a change point. The table of change points has the figures." | "每点为一次测试及其 95% 区间，横线为水平，虚线为变化点。数值见变化点表。";
    trends_case: "Case" | "项";
    trends_device: "Device, driver" | "设备、驱动";
    trends_runs: "Measured / all runs" | "已测 / 全部测试";
    trends_level: "Level" | "水平";
    trends_last_change: "Last change" | "最近一次变化";
    trends_drift: "Drift" | "漂移";
    trends_driver_change: "Since the driver before" | "相对上一驱动";
    trends_when: "First run after" | "变化后首次测试";
    trends_before: "Level before" | "变化前水平";
    trends_after: "Level after" | "变化后水平";
    trends_ratio: "Change" | "变化";
    trends_commits: "Commits" | "提交";
    trends_gradual: "gradual" | "渐变";
    trends_over: "over {0} runs" | "历经 {0} 次测试";
    trends_worse: "worse" | "变差";
    trends_better: "better" | "变好";
    trends_none: "none" | "无";
    trends_no_change: "No change point was found." | "未发现变化点。";
    trends_left_out: "Not on this page: {0} more series. `--limit 0` and `--json` have them all." | "另有 {0} 个序列未列于本页，可用 `--limit 0` 和 `--json` 查看全部。";
    site_schema: "The run files are JSON lines, each as its schema says" | "测试文件为 JSON Lines，每行遵循其架构";
    search: "Search" | "搜索";

    batch: "Runs a sample / to warm up" | "每样本运行 / 预热运行";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
    }

    #[test]
    fn translations_say_the_same_and_are_translated() {
        for (name, en, zh) in ALL {
            assert_eq!(places(en), places(zh), "{name}");
            assert_ne!(en, zh, "{name}");
        }
    }

    #[test]
    fn values_are_not_looked_into() {
        assert_eq!(fill("{1} of {0}", &["{1}".to_owned(), "a".to_owned()]), "a of {1}");
        assert_eq!(fill("{3} {", &[]), "{3} {}");
    }
}
