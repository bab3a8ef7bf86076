//! The program with a meter that tells 100 W and all else at all times, or with what `ACCELBENCH_TEST_METER` says is wrong with it.

use accelbench::App;
use accelbench_backends::meters::virtual_meter::{Behaviour, Truth, VirtualFault, VirtualMeter};
use accelbench_backends::meters::{Finding, MeterError, MeterKind, Reading, Serves};
use std::process::ExitCode;

fn find() -> Vec<Finding> {
    let wrong = std::env::var("ACCELBENCH_TEST_METER").unwrap_or_default();
    let aside = Reading {
        clock_mhz: Some(1500.0),
        temperature_c: Some(60.0),
        throttle: vec!["sw_power_cap".to_owned()],
        power_limit_w: Some(250.0),
        ..Reading::default()
    };
    let sound = Behaviour { aside, ..Behaviour::new(MeterKind::Counter, 0.02) };
    let behaviour = match wrong.as_str() {
        "absent" => {
            let reason = MeterError::Permission { what: "/meter".to_owned(), hint: "be root".to_owned() };
            return vec![Finding::Absent { meter: "test", reason, hint: "be root".to_owned() }];
        }
        "frozen" => Behaviour { faults: vec![VirtualFault::Frozen { from_s: 0.0 }], ..sound },
        "silent" => {
            let error = MeterError::Timeout { what: "the test's meter".to_owned(), seconds: 1 };
            Behaviour { faults: vec![VirtualFault::Error { from_s: 0.0, until_s: 1e9, error }], ..sound }
        }
        "shared" => Behaviour { aside: Reading { other_users: Some(1), ..Reading::default() }, ..sound },
        _ => sound,
    };
    vec![Finding::Found(Box::new(VirtualMeter::new(Truth::constant(100.0), behaviour, Serves::Processor)))]
}

fn main() -> ExitCode {
    accelbench::main_with(App { meters: find, ..App::builtin() })
}
