//! Copies between host and device: ordinary and page-locked memory, one way and both ways at once.

use crate::App;
use accelbench_backends::{Buffer, Clock, Command, Device, DeviceId, Error, Result};
use accelbench_reports::{Direction, HostMemory, Missing, Transfer};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Large beside what a copy costs to start, and beside most caches.
const BYTES: u64 = 64 << 20;
/// A copy may take this part of the device's memory.
const SHARE: u64 = 16;
/// Directions and memories that are timed.
const PARTS: f64 = 5.0;

/// What was timed, and what could not be.
pub(super) fn probe(app: App, device: &dyn Device, seconds: f64) -> (Vec<Transfer>, Vec<Missing>) {
    let window = Duration::from_secs_f64(seconds / PARTS);
    let bytes = bytes(device);
    let mut found = Vec::new();
    let mut missing = Vec::new();
    let mut note = |direction, memory, timed: Result<(f64, Clock)>| match timed {
        Ok((bytes_per_s, clock)) => {
            found.push(Transfer { direction, memory, bytes, bytes_per_s, clock: clock.name().to_owned() });
        }
        Err(error) => {
            let memory = if memory == HostMemory::Pinned { "pinned" } else { "pageable" };
            let way = match direction {
                Direction::ToDevice => "to the device",
                Direction::FromDevice => "from the device",
                Direction::Both => "both ways",
            };
            missing.push(Missing { what: format!("{memory} transfer {way}"), reason: error.to_string() });
        }
    };
    for direction in [Direction::ToDevice, Direction::FromDevice] {
        note(
            direction,
            HostMemory::Pageable,
            Pageable::new(device, bytes).and_then(|end| fastest(&end, direction, window)),
        );
    }
    let mut best = HostMemory::Pageable;
    for direction in [Direction::ToDevice, Direction::FromDevice] {
        let timed = Pinned::new(device, bytes).and_then(|end| fastest(&end, direction, window));
        if timed.is_ok() {
            best = HostMemory::Pinned;
        }
        note(direction, HostMemory::Pinned, timed);
    }
    note(Direction::Both, best, both(app, &device.info().id, best, bytes, window));
    (found, missing)
}

/// As much as fits well.
fn bytes(device: &dyn Device) -> u64 {
    let free = device.memory().ok().and_then(|memory| memory.free.or(memory.total)).unwrap_or(u64::MAX);
    BYTES.min(device.caps().max_buffer_bytes).min(free / SHARE).max(4096) & !4095
}

/// A pair of memories, one of them the host's, and how a copy between them is timed.
trait Ends {
    fn bytes(&self) -> u64;
    /// Copies everything once and waits; gives the time.
    fn copy(&self, direction: Direction) -> Result<(Duration, Clock)>;
}

struct Pageable<'a> {
    device: &'a dyn Device,
    buffer: Buffer,
    host: std::cell::RefCell<Vec<u8>>,
}

impl<'a> Pageable<'a> {
    fn new(device: &'a dyn Device, bytes: u64) -> Result<Self> {
        // Written, so that its pages are there.
        let host = (0..bytes).map(|index| index as u8).collect();
        Ok(Self { device, buffer: device.alloc(bytes)?, host: std::cell::RefCell::new(host) })
    }
}

impl Ends for Pageable<'_> {
    fn bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    fn copy(&self, direction: Direction) -> Result<(Duration, Clock)> {
        let mut host = self.host.borrow_mut();
        let start = Instant::now();
        match direction {
            Direction::ToDevice => self.device.upload(&self.buffer, 0, &host)?,
            _ => self.device.download(&self.buffer, 0, &mut host)?,
        }
        Ok((start.elapsed(), Clock::HostWall))
    }
}

struct Pinned<'a> {
    device: &'a dyn Device,
    buffer: Buffer,
    host: Buffer,
}

impl<'a> Pinned<'a> {
    fn new(device: &'a dyn Device, bytes: u64) -> Result<Self> {
        let host = device.alloc_pinned(bytes)?;
        let content: Vec<u8> = (0..bytes).map(|index| index as u8).collect();
        device.upload(&host, 0, &content)?;
        Ok(Self { device, buffer: device.alloc(bytes)?, host })
    }
}

impl Ends for Pinned<'_> {
    fn bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    fn copy(&self, direction: Direction) -> Result<(Duration, Clock)> {
        let (src, dst) = match direction {
            Direction::ToDevice => (&self.host, &self.buffer),
            _ => (&self.buffer, &self.host),
        };
        let copy = Command::Copy { src, src_offset: 0, dst, dst_offset: 0, bytes: self.bytes() };
        let spans = self.device.wait(self.device.submit(&[Command::Begin, copy, Command::End])?)?;
        let span = spans.first().ok_or_else(|| Error::invalid("the device returned no span"))?;
        Ok((Duration::from_secs_f64(span.ns * 1e-9), span.clock))
    }
}

/// The fastest copy of a window, in bytes/s.
fn fastest(ends: &dyn Ends, direction: Direction, window: Duration) -> Result<(f64, Clock)> {
    // The first one also pays for what drivers put off.
    let (_, clock) = ends.copy(direction)?;
    let start = Instant::now();
    let mut fastest = Duration::MAX;
    while fastest == Duration::MAX || start.elapsed() < window {
        fastest = fastest.min(ends.copy(direction)?.0);
    }
    if fastest.is_zero() {
        return Err(Error::invalid("the clock says that a copy took no time"));
    }
    Ok((ends.bytes() as f64 / fastest.as_secs_f64(), clock))
}

/// One copy each way at the same time, on the device opened twice, by the host's clock over the whole window.
fn both(app: App, id: &DeviceId, memory: HostMemory, bytes: u64, window: Duration) -> Result<(f64, Clock)> {
    let ready = Barrier::new(2);
    let one_way = |direction: Direction| -> Result<f64> {
        let device = (app.registry)().open(id);
        let prepared = device.as_deref().map_err(|error| Error::invalid(error.to_string())).and_then(|device| {
            let ends: Box<dyn Ends> = match memory {
                HostMemory::Pageable => Box::new(Pageable::new(device, bytes)?),
                HostMemory::Pinned => Box::new(Pinned::new(device, bytes)?),
            };
            ends.copy(direction)?;
            Ok(ends)
        });
        // Also where it failed, since the other one waits.
        ready.wait();
        let ends = prepared?;
        let start = Instant::now();
        let mut moved = 0;
        while moved == 0 || start.elapsed() < window {
            ends.copy(direction)?;
            moved += bytes;
        }
        Ok(moved as f64 / start.elapsed().as_secs_f64())
    };
    std::thread::scope(|scope| {
        let there = scope.spawn(|| one_way(Direction::ToDevice));
        let back = one_way(Direction::FromDevice);
        let there = there.join().unwrap_or_else(|_| Err(Error::invalid("the device can't be used by a second thread")));
        Ok((there? + back?, Clock::HostWall))
    })
}
