//! A management controller's answers, by a server on this machine.

use crate::fakes::server::{respond, server};
use crate::{Absence, found, only};
use accelbench_backends::meters::{Meter, MeterError, MeterKind};
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

/// A server that always answers alike.
fn answering(status: &'static str, body: String) -> (String, Receiver<String>) {
    server(move |_, stream| respond(stream, status, &body))
}

fn declared(url: &str, rest: &str) -> String {
    format!("[[redfish]]\nid = 'bmc'\nurl = '{url}'\nscope = 'module'\nserves = 'machine'\n{rest}\n")
}

fn meter(url: &str, rest: &str) -> Result<Box<dyn Meter>, Absence> {
    let nothing = tempfile::tempdir().unwrap();
    let (meters, mut absences) = found(&only(nothing.path(), &declared(url, rest)));
    // Installed tools of makers may be meters too; the controller's comes last.
    match meters.into_iter().rfind(|meter| meter.info().id == "bmc") {
        Some(meter) => Ok(meter),
        None => Err(absences.pop().unwrap()),
    }
}

fn reason(url: &str, rest: &str) -> MeterError {
    meter(url, rest).map(|meter| meter.info().clone()).unwrap_err().0
}

#[test]
fn energy_and_power_are_read_with_the_declared_account() {
    let body = r#"{"PowerWatts": {"Reading": 612.25}, "EnergyJoules": {"Reading": 98765.5}}"#;
    let (url, requests) = answering("200 OK", body.to_owned());
    // Cargo sets both for its tests; a test can't set its own without a race.
    let account = "user_variable = 'CARGO_PKG_NAME'\npassword_variable = 'CARGO_PKG_VERSION'";
    let mut meter = meter(&url, account).unwrap();
    assert_eq!(meter.info().kind, MeterKind::Counter);
    assert!(meter.info().privilege.is_some());
    let reading = meter.read().unwrap();
    assert_eq!((reading.joules, reading.watts), (Some(98_765.5), Some(612.25)));
    let request = requests.recv().unwrap();
    assert!(request.starts_with("GET /redfish/v1/Chassis/1/EnvironmentMetrics HTTP/1.1\r\n"), "{request}");
    // `accelbench-backends:0.1.0` in base 64.
    assert!(request.contains("Authorization: Basic YWNjZWxiZW5jaC1iYWNrZW5kczowLjEuMA=="), "{request}");
}

#[test]
fn power_alone_is_power() {
    let (url, requests) = answering("200 OK", r#"{"PowerWatts": {"Reading": 300}}"#.to_owned());
    let mut meter = meter(&url, "").unwrap();
    assert_eq!(meter.info().kind, MeterKind::InstantPower);
    let reading = meter.read().unwrap();
    assert_eq!((reading.joules, reading.watts), (None, Some(300.0)));
    assert!(!requests.recv().unwrap().contains("Authorization"));
}

#[test]
fn refusals_say_what_would_help() {
    let said = |status| reason(&answering(status, "{}".to_owned()).0, "");
    assert!(matches!(said("401 Unauthorized"), MeterError::Permission { hint, .. } if hint.contains("password")));
    assert!(matches!(said("403 Forbidden"), MeterError::Permission { hint, .. } if hint.contains("ReadOnly")));
    assert!(matches!(said("404 Not Found"), MeterError::Absent { .. }));
    assert!(matches!(said("500 Oops"), MeterError::Refused { problem, .. } if problem.contains("500")));
    assert!(matches!(said("302 Found"), MeterError::Refused { problem, .. } if problem.contains("302")));
    let account = "user_variable = 'ACCELBENCH_NO_SUCH_VARIABLE'";
    let unset = reason(&answering("200 OK", "{}".to_owned()).0, account).to_string();
    assert!(unset.contains("ACCELBENCH_NO_SUCH_VARIABLE"), "{unset}");
}

#[test]
fn answers_that_make_no_sense_give_no_watt() {
    let said = |body: String| reason(&answering("200 OK", body).0, "").to_string();
    assert!(said(r#"{"PowerWatts": {"Reading": null}}"#.to_owned()).contains("neither power nor energy"));
    assert!(said("<html>login</html>".to_owned()).contains("no JSON"));
    assert!(said(String::new()).contains("no JSON"));
    assert!(said(format!("{{\"x\": \"{}\"}}", "x".repeat(2 << 20))).contains("more than"));
    let (url, _requests) = server(|_, stream| stream.write_all(b"SSH-2.0-OpenSSH\r\n").unwrap());
    assert!(matches!(reason(&url, ""), MeterError::Refused { .. }));
}

#[test]
fn slow_and_silent_controllers_are_given_up() {
    let start = Instant::now();
    let (url, _requests) = server(|_, _| thread::sleep(Duration::from_mins(1)));
    assert!(matches!(reason(&url, "limit_s = 0.5"), MeterError::Timeout { seconds: 1, .. }));
    let (url, _requests) = server(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(matches!(reason(&url, "limit_s = 0.5"), MeterError::Timeout { seconds: 1, .. }));
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    // A port that was free a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(reason(&format!("http://{closed}/x"), ""), MeterError::Refused { .. }));
}

#[test]
fn a_controller_that_falls_silent_costs_readings_and_no_more() {
    let (url, _requests) = server({
        let calls = std::sync::atomic::AtomicU32::new(0);
        move |_, stream| {
            let call = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let reading = ["5", "null", "7"][call as usize % 3];
            let body = format!("{{\"PowerWatts\": {{\"Reading\": {reading}}}}}");
            respond(stream, "200 OK", &body);
        }
    });
    let mut meter = meter(&url, "").unwrap();
    assert!(matches!(meter.read(), Err(MeterError::Garbage { .. })));
    assert_eq!(meter.read().unwrap().watts, Some(7.0));
}
