//! The real world: a program on a device, and a meter that a thread of its own reads.

use super::{Event, World};
use crate::measure::{Loaded, Session};
use accelbench_backends::meters::{self, Meter};
use accelbench_backends::{DeviceKind, Error, Ticket};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Thread;
use std::time::Duration;

/// Reading takes at most this share of a thread's time, whatever the meter allows.
const READING: f64 = 0.1;
/// And this where the device is the processor. Threads of a load wait for the slowest of them, so what reading takes from
/// one is lost to all, and a metered run may lose 0.5%; the other half is for waking up and for what that costs caches.
const READING_BESIDE: f64 = 0.0025;
/// What a reading costs besides the call: its thread is woken, and another is set aside for it.
const WAKING_S: f64 = 10e-6;
/// But it is not put off for longer than this, or for more of the meter's own intervals: a reading of a program that takes
/// 10 ms would come every 4 s, and windows of seconds would start and end at no change that was seen.
const PUT_OFF_MAX_S: f64 = 1.0;
const PUT_OFF_INTERVALS: f64 = 4.0;
/// Batches that are handed over at once: while the device works on one, the next one waits for it.
const AHEAD: usize = 2;

const PAUSED: u8 = 0;
const READS: u8 = 1;
const ENDED: u8 = 2;

/// Reads a meter from a thread of its own, while it is asked to. A meter that hangs holds up that thread and no other.
pub struct Sampler {
    events: Receiver<Event>,
    state: Arc<AtomicU8>,
    thread: Thread,
}

impl Sampler {
    /// A paused sampler of a meter for a device of this kind.
    ///
    /// # Errors
    /// The system's, where it gives no thread.
    pub fn start(meter: Box<dyn Meter>, device: DeviceKind) -> std::io::Result<Self> {
        let share = if device == DeviceKind::Cpu { READING_BESIDE } else { READING };
        let (sender, events) = mpsc::channel();
        let state = Arc::new(AtomicU8::new(PAUSED));
        let shared = Arc::clone(&state);
        let handle = std::thread::Builder::new()
            .name("meter".to_owned())
            .spawn(move || read_on(meter, share, &shared, &sender))?;
        Ok(Self { events, state, thread: handle.thread().clone() })
    }

    /// Lets it read, or pauses it.
    pub fn read(&self, on: bool) {
        self.set(if on { READS } else { PAUSED });
    }

    /// What it read since the last call, in order.
    pub fn events(&self) -> impl Iterator<Item = Event> {
        self.events.try_iter()
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        self.thread.unpark();
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.set(ENDED);
    }
}

fn read_on(mut meter: Box<dyn Meter>, share: f64, state: &AtomicU8, sender: &Sender<Event>) {
    let interval_s = meter.info().interval_s;
    let mut last_s = f64::INFINITY;
    loop {
        match state.load(Ordering::Acquire) {
            ENDED => return,
            PAUSED => std::thread::park(),
            _ => {
                let start_s = meters::now();
                let event = match meter.read() {
                    Ok(reading) => Event::Read(reading),
                    Err(error) => Event::Missed { at_s: start_s, error },
                };
                if sender.send(event).is_err() {
                    return;
                }
                let cost_s = meters::now() - start_s;
                // The lower of two: a thread that is set aside while it reads has not read for so long.
                let usual_s = cost_s.min(last_s);
                last_s = cost_s;
                let put_off_s =
                    ((usual_s + WAKING_S) * (1.0 / share - 1.0)).min(PUT_OFF_MAX_S.min(PUT_OFF_INTERVALS * interval_s));
                let pause_s = put_off_s.max(interval_s - cost_s);
                std::thread::sleep(Duration::try_from_secs_f64(pause_s).unwrap_or_default());
            }
        }
    }
}

/// A device under a meter. The meter is read as long as this lives.
pub(super) struct Live<'a> {
    session: &'a Session,
    loaded: Option<&'a Loaded>,
    sampler: &'a Sampler,
    waiting: VecDeque<(Ticket, u64)>,
    completed: Vec<Event>,
    /// The device went away.
    pub(super) lost: bool,
}

impl<'a> Live<'a> {
    /// Without a program, it can only be idle.
    pub(super) fn new(session: &'a Session, loaded: Option<&'a Loaded>, sampler: &'a Sampler) -> Self {
        sampler.read(true);
        Self { session, loaded, sampler, waiting: VecDeque::new(), completed: Vec::new(), lost: false }
    }

    /// Waits until at most so many batches are on their way.
    fn wait_for_all_but(&mut self, left: usize) -> Result<(), Error> {
        while self.waiting.len() > left
            && let Some((ticket, runs)) = self.waiting.pop_front()
        {
            self.session.device().wait(ticket)?;
            self.completed.push(Event::Completed { at_s: meters::now(), runs });
        }
        Ok(())
    }

    fn told(&mut self, done: Result<(), Error>) -> Result<(), String> {
        done.map_err(|error| {
            self.lost |= matches!(error, Error::DeviceLost { .. } | Error::Timeout { .. });
            error.to_string()
        })
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.sampler.read(false);
        // What fails here has failed before, and was told.
        let _ = self.wait_for_all_but(0);
    }
}

impl World for Live<'_> {
    fn now(&self) -> f64 {
        meters::now()
    }

    fn idle(&mut self, seconds: f64) -> Result<(), String> {
        let done = self.wait_for_all_but(0);
        self.told(done)?;
        std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        Ok(())
    }

    fn load(&mut self, runs: u64) -> Result<(), String> {
        let Some(loaded) = self.loaded else { return Err("no program is loaded".to_owned()) };
        let done = self.session.submit(loaded, usize::try_from(runs).unwrap_or(usize::MAX)).and_then(|ticket| {
            self.waiting.push_back((ticket, runs));
            self.wait_for_all_but(AHEAD - 1)
        });
        self.told(done)
    }

    fn events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.completed);
        events.extend(self.sampler.events());
        events
    }
}
