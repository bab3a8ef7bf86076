//! The program's own kernels, slowed inside their loops by a known share: what a gate has to find on real devices.
//!
//! Matrix products of the CPU and by the packed OpenCL kernel do so many percent of their innermost work twice, the second
//! time for nothing. Everything around it, and every other kernel, is as it was.

use crate::of_inner;
use accelbench_backends::{
    Command, Device, DeviceId, DeviceInfo, Driver, Kernel, KernelSpec, Launch, Presence, Registry, Result, Source,
    Ticket,
};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;

/// How many percent of a product's innermost work are done twice: a whole number up to 100; none or 0 changes nothing.
pub const SLOW: &str = "ACCELBENCH_TEST_SLOW";

/// The program's own backends, slowed.
pub fn registry() -> Registry {
    let Some(percent) = std::env::var(SLOW).ok().and_then(|text| text.parse().ok()).filter(|percent| *percent > 0)
    else {
        return Registry::builtin();
    };
    let mut registry = Registry::default();
    for id in Registry::builtin().ids() {
        registry.register(Box::new(SlowedDriver { id, percent }));
    }
    registry
}

struct SlowedDriver {
    id: &'static str,
    percent: u32,
}

impl Driver for SlowedDriver {
    fn id(&self) -> &'static str {
        self.id
    }

    fn probe(&self) -> Presence {
        Registry::builtin().probe(self.id).expect("a backend of the program's own")
    }

    fn open(&self, index: u32) -> Result<Box<dyn Device>> {
        let inner = Registry::builtin().open(&DeviceId::new(self.id, index))?;
        Ok(Box::new(Slowed { inner, percent: self.percent, again: RefCell::default() }))
    }
}

struct Slowed {
    inner: Box<dyn Device>,
    percent: u32,
    /// By kernel of the CPU's library: the part of it that is done for nothing.
    again: RefCell<HashMap<u64, Kernel>>,
}

/// Where a block of the packed kernel's panels has been multiplied: the end of the loop over its steps, in a macro.
const BLOCK_END: [&str; 2] = ["            AFTER", "        }"];
/// Where that loop is used for two panels.
const PRODUCT: &str =
    "    PRODUCT(for (uint i = 0; i < lines; ++i, next += LINE) prefetch_line(next);, , b += COLUMNS;)\n";
const FUNCTION: &str = "static void multiply(";

/// Multiplies some blocks again, by zeros that no compiler knows to be zeros.
const AGAIN: &str = "\
#define FMA_AGAIN(r)                                                           \\
    {                                                                          \\
        const vector_t a##r = (vector_t)(ELEMENT_A(r)) * nothing;              \\
        EACH_VECTOR(FMA_VECTOR, r)                                             \\
    }
#define SOME_AGAIN                                                             \\
    owed += SLOW_PERCENT;                                                      \\
    if (owed >= 100) {                                                         \\
        owed -= 100;                                                           \\
        global const sum_t *again = b - steps * COLUMNS;                       \\
        const vector_t nothing = (sum_t)(stride == 0 ? 1 : 0);                 \\
        for (uint step = 0; step < steps; ++step, again += COLUMNS) {          \\
            global const sum_t *b = again;                                     \\
            EACH_VECTOR(READ_B, 0)                                             \\
            EACH_ROW(FMA_AGAIN)                                                \\
        }                                                                      \\
    }

";

fn slowed(text: &str, percent: u32) -> String {
    let lines = BLOCK_END.map(|line| format!("{line:<119}\\\n"));
    let block_end = lines.concat();
    for part in [&block_end, PRODUCT, FUNCTION] {
        assert_eq!(text.matches(part).count(), 1, "the kernel no longer has its loop: {part}");
    }
    let again = AGAIN.replace("SLOW_PERCENT", &percent.to_string());
    text.replace(&block_end, &format!("{block_end}SOME_AGAIN \\\n"))
        .replace(PRODUCT, &format!("    uint owed = 0;\n{PRODUCT}"))
        .replace(FUNCTION, &format!("{again}{FUNCTION}"))
}

/// The commands, with what each launch does for nothing before it does what it should.
fn with_more<'a>(commands: &[Command<'a>], again: &'a HashMap<u64, Kernel>) -> Vec<Command<'a>> {
    let mut all = Vec::new();
    for command in commands {
        if let Command::Launch(launch) = command
            && let Some(kernel) = again.get(&launch.kernel.id())
        {
            all.push(Command::Launch(Launch { kernel, ..launch.clone() }));
        }
        all.push(command.clone());
    }
    all
}

impl Device for Slowed {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    of_inner!(alloc alloc_pinned upload download wait memory clock_mhz);

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        match &spec.source {
            Source::OpenClC(text) if spec.entry == "gemm_packed" => {
                let source = Source::OpenClC(slowed(text, self.percent).into());
                self.inner.compile(&KernelSpec { source, ..spec.clone() })
            }
            Source::Library(call) if call.function == "gemm" => {
                let kernel = self.inner.compile(spec)?;
                let mut part = call.clone();
                // Along k: the innermost loop of every product.
                let k = call.size("k")? * self.percent as usize / 100;
                part.arguments.insert("k".to_owned(), Value::from(k.max(1)));
                let again = self.inner.compile(&KernelSpec { source: Source::Library(part), ..spec.clone() })?;
                self.again.borrow_mut().insert(kernel.id(), again);
                Ok(kernel)
            }
            _ => self.inner.compile(spec),
        }
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        let again = self.again.borrow();
        self.inner.submit(&with_more(commands, &again))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accelbench_backends::Language;
    use accelbench_kernels::{Catalogue, Precision};

    #[test]
    fn the_packed_kernel_still_has_its_loop() {
        let host = Registry::builtin().open(&DeviceId::new("host", 0)).unwrap();
        let mut caps = host.caps().clone();
        // As a CPU is through OpenCL.
        caps.languages.insert(Language::OpenClC);
        (caps.max_grid, caps.max_group, caps.max_group_items) = ([1 << 20, 1 << 10, 1], [1024; 3], 1024);
        let catalogue = Catalogue::builtin();
        let (operation, fields) = catalogue.parse_shape("gemm:m=64,n=64,k=64").unwrap();
        let case = operation.case(Precision::F32, &fields).unwrap();
        let programs = case.plans(&caps).into_iter().map(|plan| plan.program());
        let kernels: Vec<KernelSpec> = programs.flat_map(|program| program.kernels).collect();
        let packed = kernels.iter().find(|kernel| kernel.entry == "gemm_packed").unwrap();
        let text = slowed(&packed.source.text(), 5);
        assert!(text.contains("owed += 5;") && text.contains("#define FMA_AGAIN"));
    }
}
