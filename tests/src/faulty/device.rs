//! The CPU with a fault, put in between the calls and the real device.

use super::spoil::{Product, spoil};
use super::{Fault, abort, hang};
use crate::of_inner;
use accelbench_backends::{Buffer, Command, Device, DeviceInfo, Error, Kernel, KernelSpec, Result, Source, Ticket};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Write;

/// A product with both inputs.
type Computed = (Product, [Vec<u8>; 2]);

pub(super) struct FaultyDevice {
    fault: Fault,
    info: DeviceInfo,
    inner: Box<dyn Device>,
    /// What the kernels compute on which the fault strikes, by kernel.
    doomed: RefCell<HashMap<u64, Product>>,
    /// What was computed by them, by output buffer.
    computed: RefCell<HashMap<u64, Computed>>,
    /// A doomed kernel was launched before.
    ran: Cell<bool>,
}

impl FaultyDevice {
    pub(super) fn new(fault: Fault, inner: Box<dyn Device>) -> Self {
        Self {
            fault,
            info: fault.info(inner.info()),
            inner,
            doomed: RefCell::default(),
            computed: RefCell::default(),
            ran: Cell::new(false),
        }
    }

    /// What a doomed launch among these commands computes, and its buffers.
    fn doomed<'a>(&self, commands: &[Command<'a>]) -> Option<(Product, &'a [&'a Buffer])> {
        commands.iter().find_map(|command| match command {
            Command::Launch(launch) => Some((self.doomed.borrow().get(&launch.kernel.id())?.clone(), launch.buffers)),
            _ => None,
        })
    }

    fn bytes(&self, buffer: &Buffer) -> Result<Vec<u8>> {
        let mut bytes = vec![0; buffer.bytes() as usize];
        self.inner.download(buffer, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Runs the commands, and puts one row back after each launch.
    fn keep_a_row(&self, commands: &[Command<'_>], product: &Product, output: &Buffer) -> Result<Ticket> {
        let (start, bytes) = product.row(product.m / 2);
        let row = self.inner.alloc(bytes)?;
        let save = Command::Copy { src: output, src_offset: start, dst: &row, dst_offset: 0, bytes };
        let restore = Command::Copy { src: &row, src_offset: 0, dst: output, dst_offset: start, bytes };
        let mut kept = Vec::new();
        for command in commands {
            match command {
                Command::Launch(_) => kept.extend([save.clone(), command.clone(), restore.clone()]),
                _ => kept.push(command.clone()),
            }
        }
        self.inner.submit(&kept)
    }
}

impl Device for FaultyDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    of_inner!(alloc upload wait memory);

    fn download(&self, src: &Buffer, offset: u64, dst: &mut [u8]) -> Result<()> {
        self.inner.download(src, offset, dst)?;
        if let Some((product, inputs)) = self.computed.borrow().get(&src.id()) {
            spoil(self.fault, product, inputs, dst);
        }
        Ok(())
    }

    fn compile(&self, spec: &KernelSpec) -> Result<Kernel> {
        let kernel = self.inner.compile(spec)?;
        if let Source::Library(call) = &spec.source
            && call.function == "gemm"
        {
            let product = Product::of(call)?;
            if product.m.is_multiple_of(3) {
                self.doomed.borrow_mut().insert(kernel.id(), product);
            }
        }
        Ok(kernel)
    }

    fn submit(&self, commands: &[Command<'_>]) -> Result<Ticket> {
        let Some((product, buffers)) = self.doomed(commands) else { return self.inner.submit(commands) };
        let again = self.ran.replace(true);
        match self.fault {
            Fault::Abort => abort("it is meant to crash here"),
            Fault::Hang => hang(),
            Fault::Lost => return Err(Error::DeviceLost { reason: "it is meant to go away here".to_owned() }),
            Fault::LongError => {
                return Err(Error::Compile { entry: "gemm".to_owned(), log: "one\n\ntwo\nthree\n".to_owned() });
            }
            Fault::Noisy => make_noise(),
            Fault::UnwrittenRow => return self.keep_a_row(commands, &product, buffers[2]),
            Fault::Stale if again => {
                let kept = commands.iter().filter(|command| !matches!(command, Command::Launch(_)));
                return self.inner.submit(&kept.cloned().collect::<Vec<_>>());
            }
            _ => {}
        }
        let inputs = [self.bytes(buffers[0])?, self.bytes(buffers[1])?];
        self.computed.borrow_mut().insert(buffers[2].id(), (product, inputs));
        self.inner.submit(commands)
    }
}

fn make_noise() {
    let noise = b"driver 1.0 \xff\xfe\x1e{\"row\": loading...";
    // Nothing depends on the noise being heard.
    let _ = std::io::stdout().write_all(noise).and_then(|()| std::io::stdout().flush());
    let _ = std::io::stderr().write_all(noise);
}
