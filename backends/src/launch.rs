//! What is submitted to a device: one list of commands, run in order.

use crate::{Buffer, Caps, DeviceToken, Error, Kernel, Result};

/// One command of a submission.
#[derive(Clone, Debug)]
pub enum Command<'a> {
    /// Run a kernel.
    Launch(Launch<'a>),
    /// Copy `bytes` from one buffer to another. Offsets and length are multiples of 4.
    Copy {
        /// From here.
        src: &'a Buffer,
        /// First byte read.
        src_offset: u64,
        /// To here; not the same buffer.
        dst: &'a Buffer,
        /// First byte written.
        dst_offset: u64,
        /// How many bytes.
        bytes: u64,
    },
    /// Write the 32-bit `pattern` over a whole buffer, up to the last whole 4 bytes and any rest with the pattern's
    /// first bytes.
    Fill {
        /// The buffer.
        dst: &'a Buffer,
        /// Four bytes, little-endian.
        pattern: u32,
    },
    /// Start a span on the device's clock. Spans don't nest.
    Begin,
    /// End the span: everything since [`Command::Begin`] has completed.
    End,
}

/// One run of a kernel over a grid of work-groups.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Work-groups in x, y and z; none of them 0.
    pub grid: [u32; 3],
    /// Its buffers, in the order of the kernel's declaration.
    pub buffers: &'a [&'a Buffer],
    /// Its parameter block: as many bytes as the kernel declared.
    pub params: &'a [u8],
}

/// Checks a submission to the device that `token` names, before its driver sees any of it: drivers and wrappers answer
/// such mistakes with assertions or worse.
///
/// # Errors
/// [`Error::InvalidArgument`], [`Error::LimitExceeded`] or [`Error::ForeignHandle`], naming what is off.
pub fn check(commands: &[Command<'_>], token: DeviceToken, caps: &Caps) -> Result<()> {
    let mut open = false;
    for command in commands {
        match command {
            Command::Launch(launch) => launch.check(token, caps)?,
            Command::Copy { src, src_offset, dst, dst_offset, bytes } => {
                if src.id() == dst.id() {
                    return Err(Error::invalid("a buffer can't be copied onto itself"));
                }
                if !(src_offset | dst_offset | bytes).is_multiple_of(4) {
                    return Err(Error::invalid("a copy's offsets and length must be multiples of 4"));
                }
                src.check_owner(token)?;
                dst.check_owner(token)?;
                if src.is_pinned() && dst.is_pinned() {
                    return Err(Error::invalid("a copy needs the device's memory at one of its ends"));
                }
                src.check_range(*src_offset, *bytes)?;
                dst.check_range(*dst_offset, *bytes)?;
            }
            Command::Fill { dst, .. } => check_reachable(dst, token)?,
            Command::Begin if open => return Err(Error::invalid("a span starts inside another span")),
            Command::Begin => open = true,
            Command::End if !open => return Err(Error::invalid("a span ends that was never started")),
            Command::End => open = false,
        }
    }
    if open { Err(Error::invalid("a span was started and not ended")) } else { Ok(()) }
}

/// Checks that a buffer is the device's own memory, which kernels and fills need.
fn check_reachable(buffer: &Buffer, token: DeviceToken) -> Result<()> {
    buffer.check_owner(token)?;
    if buffer.is_pinned() { Err(Error::invalid("page-locked host memory is reached by copies only")) } else { Ok(()) }
}

impl Launch<'_> {
    fn check(&self, token: DeviceToken, caps: &Caps) -> Result<()> {
        self.kernel.check_owner(token)?;
        for buffer in self.buffers {
            check_reachable(buffer, token)?;
        }
        for (axis, (&groups, &limit)) in self.grid.iter().zip(&caps.max_grid).enumerate() {
            if groups == 0 {
                return Err(Error::invalid(format!("the grid has no work-group along axis {axis}")));
            }
            if groups > limit {
                return Err(Error::LimitExceeded { what: "a grid", asked: groups.into(), limit: limit.into() });
            }
        }
        let declared = self.kernel.bindings().len();
        if self.buffers.len() != declared {
            return Err(Error::invalid(format!(
                "the kernel declares {declared} buffers and {} were passed",
                self.buffers.len()
            )));
        }
        if self.params.len() != self.kernel.params_bytes() as usize {
            return Err(Error::invalid(format!(
                "the kernel's parameter block has {} bytes and {} were passed",
                self.kernel.params_bytes(),
                self.params.len()
            )));
        }
        Ok(())
    }
}

/// Checks a kernel's declaration against the device's limits, before its compiler sees it.
///
/// # Errors
/// [`Error::InvalidArgument`] or [`Error::LimitExceeded`], naming what is off.
pub fn check_spec(spec: &crate::KernelSpec, caps: &Caps) -> Result<()> {
    let items = spec.group.iter().map(|&n| u64::from(n)).product::<u64>();
    if items == 0 {
        return Err(Error::invalid("a work-group has no work-item"));
    }
    if items > u64::from(caps.max_group_items) {
        return Err(Error::LimitExceeded { what: "a work-group", asked: items, limit: caps.max_group_items.into() });
    }
    for (&size, &limit) in spec.group.iter().zip(&caps.max_group) {
        if size > limit {
            return Err(Error::LimitExceeded { what: "a work-group's side", asked: size.into(), limit: limit.into() });
        }
    }
    if !spec.params_bytes.is_multiple_of(4) {
        return Err(Error::invalid("a parameter block's length must be a multiple of 4"));
    }
    if u64::from(spec.shared_bytes) > caps.local_bytes {
        return Err(Error::LimitExceeded {
            what: "local memory",
            asked: spec.shared_bytes.into(),
            limit: caps.local_bytes,
        });
    }
    Ok(())
}
