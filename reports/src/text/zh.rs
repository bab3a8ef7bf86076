//! Simplified Chinese.

use super::{Columns, Names, Sentences, Texts, Titles};
use crate::report::{ClockKind, KnownBy, Verdict, What};
use crate::{CacheMode, Direction, EnergyStatus, HostMemory, Status, Unit};

pub(super) const TEXTS: Texts = Texts {
    tag: "zh-Hans",
    none: "–",
    titles: Titles {
        report: "加速器对比",
        standings: "谁最快",
        devices: "设备",
        runs: "测试记录",
        cases: "逐项并列对比",
        rooflines: "屋顶线",
        shares: "达到上限的比例",
        energy: "能耗",
        libraries: "可移植内核与厂商库对比",
        scaling: "速率随规模的变化",
        memory: "内存与缓存",
        transfers: "传输与延迟",
        chips: "同一芯片通过不同 API",
        support: "支持情况",
        environment: "各次测试之间的差异",
        rejected: "被跳过的文件",
        problems: "已采用文件中的问题",
        method: "对比方法",
        limits: "对比的局限",
    },
    columns: Columns {
        place: "名次",
        device: "设备",
        api: "API",
        driver: "驱动",
        chip: "芯片",
        kind: "类别",
        run: "测试",
        file: "文件",
        started: "开始时间",
        host: "主机",
        version: "版本",
        command: "命令",
        op: "运算",
        dtype: "类型",
        shape: "形状",
        origin: "来源",
        variant: "实现",
        plan: "方案",
        kernel: "内核",
        library: "库",
        status: "状态",
        reason: "原因",
        rate: "速率",
        median: "中位数",
        interval: "95% 区间",
        samples: "样本",
        verified: "校验",
        clock: "时钟",
        cache: "缓存",
        best: "最高速率",
        behind_first: "第一名快多少",
        ratio: "比值",
        cases: "项数",
        share: "比例",
        low: "最低",
        high: "最高",
        peak: "峰值",
        bandwidth: "带宽",
        working_set: "工作集",
        direction: "方向",
        memory: "主机内存",
        size: "大小",
        intensity: "每字节 FLOP",
        energy: "每 FLOP 能耗",
        efficiency: "每瓦 FLOP/s",
        power: "平均功率",
        scope: "功率计范围",
        fact: "项目",
        value: "值",
    },
    names: Names {
        ops: &[("gemm", "GEMM"), ("conv2d", "卷积"), ("attention", "注意力")],
        status,
        energy_status,
        clock,
        cache,
        unit,
        direction,
        host_memory,
        kinds: &[("cpu", "CPU"), ("gpu", "GPU"), ("accelerator", "加速器")],
        verdict,
        what,
        known_by,
        not_run: "未运行",
        smallest_upload: "最小上传",
        smallest_download: "最小下载",
        launch: "一次启动往返",
        launches: "每秒启动次数",
        theoretical: "理论值",
        measured: "实测值",
    },
    sentences: Sentences {
        alone: |of, first, cases| format!("{of}：只有 {first} 有测量结果，共 {cases} 项。"),
        faster: |of, first, second, ratio, cases| {
            format!("{of}：{first} 最快，速度是 {second} 的 {ratio}，为 {cases} 个共同项的几何平均。")
        },
        thriftier: |of, first, second, ratio, cases| {
            format!("{of}：{first} 能耗最低；{second} 的能耗是它的 {ratio}，为 {cases} 个共同项的几何平均。")
        },
        even: |of, first, second, ratio, cases| {
            format!("{of}：{first} 与 {second} 无差异：{ratio}，为 {cases} 个共同项的几何平均。")
        },
        apart: |of, first, second| format!("{of}：{first} 与 {second} 没有共同的已测项，因此不判定谁更快。"),
        timed_by: |of, clock| format!("{of}（由{clock}计时）"),
        conditions: |fill, cache, clock| format!("输入 {fill}，{cache}，由{clock}计时"),
        energy_conditions: |fill, cache, scope| format!("输入 {fill}，{cache}，功率计范围：{scope}"),
        clocks_apart: "设备时钟与主机时钟测得的时间从不互相比较，分别排名。",
        nothing_common: "没有任何两个设备有共同的已测项，因此这里没有可比较的内容。",
        nothing_measured: "这些测试中没有任何一行带有通过校验的数值。",
        no_energy: "没有测量能耗。",
        no_differences: "各次测试自述的环境没有差异。",
        made_from: |runs, devices, measured, rows| {
            format!("由 {runs} 次测试、{devices} 个设备得出：{rows} 行中有 {measured} 行带有通过校验的数值。")
        },
        left_out: |lines| format!("……另有 {lines} 行"),
        cut: |bytes| format!("此处截断：本文最多 {bytes} 字节。完整内容见 HTML 页面、CSV 和 JSON。"),
        anonymous: "设备、主机和用户的名称已略去。",
        of_run: |what, run| format!("{what}（测试 {run}）"),
        ratios: "比值大于 1 表示前者更好。括号内是两个 95% 区间所允许的最宽范围。",
    },
    method: &[
        "只比较相同的项：运算、类型及其累加精度、形状、随机输入、缓存模式和时钟种类都相同。某个设备没有测到的项显示为缺失并给出原因，不计入任何一方。",
        "每个数值所属内核的输出都与 f64 计算结果核对过。结果错误、失败、崩溃或超时的行没有数值。",
        "时间取样本的中位数，并给出与分布无关的 95% 区间。比值的区间是两个区间所允许的最宽范围；若包含 1，则称为无差异。",
        "汇总值是两个设备共同项的比值的几何平均，并给出项数。平均值的区间由各端点取平均得到，比实际所需更宽。不同运算或类型之间不做合并：那样的总分需要权重，而这里没有声明任何权重。",
        "若在共同项上的平均值胜过更多对手，设备就排在前面。项数不到最多者一半的设备排在最后。",
        "每一项中，以设备上最快的内核或库代表该设备。达到上限的比例是其速率除以下列两者中的较小值：实测算术峰值，以及实测带宽乘以每字节 FLOP。",
        "能耗只在实际测量、且功率计范围相同时才比较。估计值会注明，并且不参与排名。",
    ],
    limits: &[
        "这些数值只适用于所列形状、机器、驱动、时钟与功率限制，以及测试当时的情况。",
        "区间说明同一次测试的中位数与更多同类样本的中位数可能相差多少；它不说明换一天、换一种温度或换一块芯片会有多大差别。",
        "设备时钟测得的时间不含启动内核的开销；主机时钟测得的时间包含该开销。",
        "运算的工作量按其定义计数，与内核实际计算多少无关。",
    ],
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "正常",
        Status::Unsupported => "不支持",
        Status::Skipped => "已跳过",
        Status::Failed => "失败",
        Status::Wrong => "结果错误",
        Status::Crashed => "崩溃",
        Status::Timeout => "超时",
    }
}

fn energy_status(status: EnergyStatus) -> &'static str {
    match status {
        EnergyStatus::Measured => "已测量",
        EnergyStatus::Unavailable => "无功率计",
        EnergyStatus::Contended => "设备被占用",
        EnergyStatus::NonStationary => "未稳定",
        EnergyStatus::Suspect => "可疑",
        EnergyStatus::Failed => "失败",
        EnergyStatus::EstimatedCeiling => "估计上限",
    }
}

fn clock(kind: ClockKind) -> &'static str {
    match kind {
        ClockKind::Device => "设备时钟",
        ClockKind::Host => "主机时钟",
    }
}

fn cache(cache: CacheMode) -> &'static str {
    match cache {
        CacheMode::Warm => "热缓存",
        CacheMode::Cold => "冷缓存",
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Vector => "向量",
        Unit::Matrix => "矩阵",
        Unit::Any => "任意",
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToDevice => "到设备",
        Direction::FromDevice => "从设备",
        Direction::Both => "双向同时",
    }
}

fn host_memory(memory: HostMemory) -> &'static str {
    match memory {
        HostMemory::Pageable => "可分页",
        HostMemory::Pinned => "页锁定",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "更好",
        Verdict::Worse => "更差",
        Verdict::NoDifference => "无差异",
    }
}

fn what(what: What) -> &'static str {
    match what {
        What::Driver => "驱动",
        What::Clock => "驱动所报时钟，MHz",
        What::MeasuredClock => "实测时钟，MHz",
        What::ClockPolicy => "时钟策略",
        What::PowerLimit => "功率限制，W",
        What::SuiteVersion => "accelbench 版本",
        What::GitCommit => "accelbench 提交",
        What::GitDirty => "源码在提交后有改动",
        What::Profile => "测试档位",
        What::Cache => "缓存",
        What::Seed => "输入的种子",
        What::Energy => "能耗测量",
        What::Hostname => "主机",
        What::Os => "操作系统",
        What::Kernel => "系统内核",
        What::Cpu => "处理器",
        What::Threads => "逻辑处理器数",
        What::Memory => "主内存，字节",
        What::Variable => "环境变量",
    }
}

fn known_by(known: KnownBy) -> &'static str {
    match known {
        KnownBy::PhysicalId => "地址或 UUID 相同",
        KnownBy::HostProcessor => "主机自身的处理器",
    }
}
