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
use std::time::{Duration, Instant};

/// Reading takes at most this share of a thread's time, whatever the meter allows.
const READING: f64 = 0.1;
/// And this where the device is the processor. Threads of a load wait for the slowest of them, so what reading takes from
/// one is lost to all, with what waking up costs them beside: more than it takes itself.
const READING_BESIDE: f64 = 0.0025;
/// And this away from windows' edges, which alone have to be seen at once: a metered run may lose 0.5%.
const READING_AWAY: f64 = 0.0005;
/// What a reading costs besides the call: its thread is woken, and another is set aside for it.
const WAKING_S: f64 = 10e-6;
/// But it is not put off for longer than this, or for more of the meter's own intervals: a reading of a program that takes
/// 10 ms would come every 4 s, and windows of seconds would start and end at no change that was seen.
const PUT_OFF_MAX_S: f64 = 1.0;
const PUT_OFF_INTERVALS: f64 = 4.0;
/// Away from edges, for more of them.
const PUT_OFF_INTERVALS_AWAY: f64 = 16.0;
/// Batches that are handed over at once: while the device works on one, the next one waits for it.
const AHEAD: usize = 2;

const PAUSED: u8 = 0;
const READS: u8 = 1;
const READS_LESS: u8 = 2;
const ENDED: u8 = 3;

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
        let beside = device == DeviceKind::Cpu;
        let paces = Paces {
            close: Pace { share: if beside { READING_BESIDE } else { READING }, intervals: PUT_OFF_INTERVALS },
            away: Pace { share: if beside { READING_AWAY } else { READING }, intervals: PUT_OFF_INTERVALS_AWAY },
        };
        let (sender, events) = mpsc::channel();
        let state = Arc::new(AtomicU8::new(PAUSED));
        let shared = Arc::clone(&state);
        let handle = std::thread::Builder::new()
            .name("meter".to_owned())
            .spawn(move || read_on(meter, &paces, &shared, &sender))?;
        Ok(Self { events, state, thread: handle.thread().clone() })
    }

    /// Lets it read, or pauses it.
    pub fn read(&self, on: bool) {
        self.set(if on { READS } else { PAUSED });
    }

    /// Reads on, as often as it may or, away from edges, less often.
    pub fn read_closely(&self, closely: bool) {
        let state = if closely { READS } else { READS_LESS };
        if self.state.load(Ordering::Acquire) != state {
            self.set(state);
        }
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

/// How often a meter is read.
struct Pace {
    /// Of a thread's time.
    share: f64,
    /// What a reading is put off for at most, in the meter's intervals.
    intervals: f64,
}

struct Paces {
    close: Pace,
    away: Pace,
}

impl Pace {
    /// How long after a reading that took this long the next one begins.
    fn pause(&self, usual_s: f64, cost_s: f64, interval_s: f64) -> Duration {
        let put_off_s = (usual_s + WAKING_S) * (1.0 / self.share - 1.0);
        let put_off_s = put_off_s.min(PUT_OFF_MAX_S.min(self.intervals * interval_s));
        Duration::try_from_secs_f64(put_off_s.max(interval_s - cost_s)).unwrap_or_default()
    }
}

fn read_on(mut meter: Box<dyn Meter>, paces: &Paces, state: &AtomicU8, sender: &Sender<Event>) {
    let interval_s = meter.info().interval_s;
    let mut last_s = f64::INFINITY;
    loop {
        let asked = state.load(Ordering::Acquire);
        match asked {
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
                let pace = if asked == READS_LESS { &paces.away } else { &paces.close };
                let until = Instant::now() + pace.pause(usual_s, cost_s, interval_s);
                // Whatever else wakes it, only another state ends its rest.
                while let left = until.saturating_duration_since(Instant::now())
                    && !left.is_zero()
                    && state.load(Ordering::Acquire) == asked
                {
                    std::thread::park_timeout(left);
                }
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

    fn read_closely(&mut self, closely: bool) {
        self.sampler.read_closely(closely);
    }

    fn events(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.completed);
        events.extend(self.sampler.events());
        events
    }
}
