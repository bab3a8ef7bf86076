//! Redfish, by a server on this machine.

use crate::Check;
use crate::fakes::server::{respond, server};
use crate::machine::{Machine, QUICK, failed, measured, measured_by_program, unavailable};
use crate::motion::power;
use accelbench_reports::ResultRow;
use accelbench_tests::chip;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// What the module draws.
const WATTS: f64 = 410.0;

/// How an answer is given, at a time since the start.
type Answer = fn(f64, &mut TcpStream);

/// When those that are sound at first stop being so.
const TURN_S: f64 = 4.0;

pub(crate) fn checks() -> Vec<Check> {
    let check = |name, run| Check { name, effort: QUICK, run };
    vec![
        check("redfish::energy", |effort| measured_by_program(|| row(effort, energy), "bmc", WATTS)),
        check("redfish::power", |effort| measured(row(effort, watts), "bmc", WATTS)),
        check("redfish::power_that_comes_slowly", |effort| {
            let slow: Answer = |t, stream| {
                thread::sleep(Duration::from_millis(200));
                watts(t, stream);
            };
            measured(row(effort, slow), "bmc", WATTS);
        }),
        check("redfish::a_refused_account", |effort| {
            unavailable(row(effort, refusal), &["redfish", "permission denied", "set the variables that hold them"]);
        }),
        check("redfish::an_account_that_is_refused_later", |effort| {
            failed(row(effort, |t, stream| turned(t, stream, refusal)), "permission denied");
        }),
        check("redfish::null", |effort| unavailable(row(effort, null), &["redfish", "neither power nor energy"])),
        check("redfish::what_becomes_null", |effort| {
            failed(row(effort, |t, stream| turned(t, stream, null)), "neither power nor energy");
        }),
        check("redfish::silence", |effort| unavailable(row(effort, silence), &["redfish", "no answer within 1 s"])),
        check("redfish::what_falls_silent", |effort| {
            failed(row(effort, |t, stream| turned(t, stream, silence)), "no answer within 1 s");
        }),
        check("redfish::garbage", |effort| {
            unavailable(row(effort, |_, stream| respond(stream, "200 OK", "<html>login</html>")), &["no JSON"]);
        }),
        check("redfish::a_number_of_another_locale", |effort| {
            let comma: Answer = |_, stream| respond(stream, "200 OK", r#"{"PowerWatts": {"Reading": "412,5"}}"#);
            unavailable(row(effort, comma), &["redfish", "no number"]);
        }),
        check("redfish::a_counter_that_is_frozen", |effort| {
            failed(row(effort, |_, stream| told(stream, "EnergyJoules", 98_765.5)), "frozen");
        }),
        check("redfish::a_counter_that_goes_backward", |effort| {
            let falling: Answer = |t, stream| told(stream, "EnergyJoules", 900.0 + WATTS * t.rem_euclid(0.7));
            failed(row(effort, falling), "the counter went back from");
        }),
    ]
}

fn told(stream: &mut TcpStream, sensor: &str, value: f64) {
    respond(stream, "200 OK", &format!("{{\"{sensor}\": {{\"Reading\": {value:.3}}}}}"));
}

fn energy(t: f64, stream: &mut TcpStream) {
    told(stream, "EnergyJoules", 98_765.0 + power(WATTS, 0.05).joules(0.0, t));
}

fn watts(t: f64, stream: &mut TcpStream) {
    told(stream, "PowerWatts", power(WATTS, 0.005).watts(t));
}

fn refusal(_: f64, stream: &mut TcpStream) {
    respond(stream, "401 Unauthorized", "{}");
}

fn null(_: f64, stream: &mut TcpStream) {
    respond(stream, "200 OK", r#"{"PowerWatts": {"Reading": null}, "EnergyJoules": null}"#);
}

fn silence(_: f64, _: &mut TcpStream) {
    thread::sleep(Duration::from_mins(1));
}

/// Sound up to a time.
fn turned(t: f64, stream: &mut TcpStream, then: Answer) {
    if t < TURN_S { energy(t, stream) } else { then(t, stream) }
}

/// A run on a machine whose controller answers so, by curl.
fn row(effort: &str, answer: Answer) -> ResultRow {
    let machine = Machine::new();
    let curl = std::env::split_paths(&std::env::var_os("PATH").expect("a search path"))
        .map(|folder| folder.join("curl"))
        .find(|path| Path::is_file(path));
    symlink(curl.expect("Redfish is read by `curl`"), machine.programs().join("curl")).unwrap();
    let start = Instant::now();
    let (url, _requests) = server(move |_, stream| answer(start.elapsed().as_secs_f64(), stream));
    let meter = format!("[[redfish]]\nid = 'bmc'\nurl = '{url}'\nscope = 'module'\ninterval_s = 0.05\nlimit_s = 1\n");
    machine.meters(&[], &format!("{meter}serves = {{ chip = {{ pci = '{}' }} }}\n", chip::ADDRESS));
    machine.row(effort)
}
