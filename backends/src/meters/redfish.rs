//! Redfish: the `EnvironmentMetrics` of modules and boards, by a management controller.
//!
//! The `curl` program speaks HTTP: it brings TLS with the system's certificates, and the Rust libraries for TLS depend on
//! a crate whose licence this project does not take. The password reaches it by its standard input, so that no list of
//! processes shows it.

use super::config::Places;
use super::figure::{self, accuracy};
use super::process::{Answer, Ask, program};
use super::tree::Timed;
use super::{Finding, Meter, MeterError, MeterInfo, MeterKind, Reading, Scope, Serves};
use serde::Deserialize;
use serde_json::Value;
use std::env;
use std::fmt::Write as _;

const HINT: &str = "check the address with `curl`, that the variables of its user and password are set, and that \
    `certificate` names the controller's own where the system does not know who signed it";

/// How long the program may take beyond the limit that it was given, in seconds: it keeps that limit by itself.
const GRACE_S: f64 = 5.0;

const KWH_J: f64 = 3.6e6;

/// A resource of a management controller.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedfishSource {
    /// The meter's name.
    pub id: String,
    /// The address of the resource, by `https` or `http`; it ends in `EnvironmentMetrics`.
    pub url: String,
    /// The environment variable that holds the user's name. Without one nothing is sent.
    pub user_variable: Option<String>,
    /// The environment variable that holds the password.
    pub password_variable: Option<String>,
    /// A file with the certificate that the controller's is checked against, where the system's do not know it.
    pub certificate: Option<String>,
    /// What the figure includes.
    pub scope: Scope,
    /// Which devices it serves.
    pub serves: Serves,
    /// The shortest time in seconds between two requests that makes sense.
    #[serde(default = "one_second")]
    pub interval_s: f64,
    /// How long an answer may take, in seconds.
    #[serde(default = "three_seconds")]
    pub limit_s: f64,
    /// The figure's relative error (k = 2), where its maker states one.
    pub accuracy: Option<f64>,
}

fn one_second() -> f64 {
    1.0
}

fn three_seconds() -> f64 {
    3.0
}

impl RedfishSource {
    /// Says what makes the declaration useless.
    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |problem: &str| Err(format!("redfish `{}`: {problem}", self.id));
        let Some((scheme, place)) = self.url.split_once("://") else { return wrong("url is no address") };
        if !["http", "https"].contains(&scheme) {
            return wrong("url is neither http nor https");
        }
        if place.split('/').next().is_some_and(|host| host.is_empty() || host.contains('@')) {
            return wrong("url holds no host, or a password: name the variables that hold it");
        }
        let positive = |seconds: f64| seconds > 0.0 && seconds <= 3600.0;
        if !positive(self.limit_s) || !positive(self.interval_s) {
            return wrong("limit_s and interval_s are above 0 and at most 3600");
        }
        Ok(())
    }

    /// What curl reads: its own words for the request.
    fn request(&self) -> Result<String, MeterError> {
        let mut lines = String::new();
        let mut line = |word: &str, value: &str| {
            if value.chars().any(char::is_control) {
                return Err(MeterError::Garbage {
                    what: self.id.clone(),
                    problem: format!("its {word} holds a control character"),
                });
            }
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            // Writing to a string does not fail.
            let _ = writeln!(lines, "{word} = \"{value}\"");
            Ok(())
        };
        line("url", &self.url)?;
        line("header", "Accept: application/json")?;
        line("max-time", &self.limit_s.to_string())?;
        // Nothing but these two, and straight to the controller, which is on this network.
        line("proto", "=http,https")?;
        line("noproxy", "*")?;
        if let Some(certificate) = &self.certificate {
            line("cacert", certificate)?;
        }
        if let Some(user) = &self.user_variable {
            let password = self.password_variable.as_deref().map_or(Ok(String::new()), variable)?;
            line("user", &format!("{}:{password}", variable(user)?))?;
        }
        Ok(lines)
    }

    fn get(&self, places: &Places) -> Result<(Figures, Answer), MeterError> {
        let what = self.url.clone();
        let curl = program("curl", &places.programs).ok_or_else(|| MeterError::Absent { what: "curl".to_owned() })?;
        // The first word keeps the user's own settings out. The status comes on a line of its own after the body.
        let arguments = ["--disable", "--silent", "--show-error", "--write-out", r"\n%{http_code}", "--config", "-"];
        let arguments = arguments.map(str::to_owned);
        let request = self.request()?;
        let ask = Ask { program: &curl, arguments: &arguments, input: &request, limit_s: self.limit_s + GRACE_S };
        let answer = ask.run()?;
        match answer.code {
            Some(0) => {}
            Some(28) => return Err(MeterError::Timeout { what, seconds: self.limit_s.ceil() as u64 }),
            _ => return Err(MeterError::Refused { what, problem: answer.complaint }),
        }
        let (body, status) = answer.output.rsplit_once('\n').unwrap_or_default();
        let denied = |hint: &str| MeterError::Permission { what: what.clone(), hint: hint.to_owned() };
        match status {
            "200" => {}
            "401" => return Err(denied("it does not take this user and password: set the variables that hold them")),
            "403" => return Err(denied("this user may not read it: the role ReadOnly suffices")),
            "404" => return Err(MeterError::Absent { what }),
            status => return Err(MeterError::Refused { what, problem: format!("it answered with status {status}") }),
        }
        let figures = Figures::parse(&what, body)?;
        Ok((figures, answer))
    }
}

fn variable(name: &str) -> Result<String, MeterError> {
    env::var(name).map_err(|_| MeterError::Absent { what: format!("the environment variable {name}") })
}

/// What a resource tells. A sensor that is not there, and one whose reading is null, are none.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    watts: Option<f64>,
    joules: Option<f64>,
    kilowatt_hours: Option<f64>,
}

impl Figures {
    fn parse(what: &str, body: &str) -> Result<Self, MeterError> {
        let garbage = |problem: String| MeterError::Garbage { what: what.to_owned(), problem };
        let body: Value =
            serde_json::from_str(body).map_err(|error| garbage(format!("its answer is no JSON: {error}")))?;
        let reading = |sensor: &str| match &body[sensor]["Reading"] {
            Value::Null => Ok(None),
            value => value.as_f64().map(Some).ok_or_else(|| garbage(format!("{sensor}.Reading is {value}, no number"))),
        };
        let figures = Self {
            watts: reading("PowerWatts")?.map(|value| figure::watts(what, value)).transpose()?,
            joules: reading("EnergyJoules")?.map(|value| figure::joules(what, value)).transpose()?,
            kilowatt_hours: reading("EnergykWh")?.map(|value| figure::joules(what, value)).transpose()?,
        };
        if figures == (Self { watts: None, joules: None, kilowatt_hours: None }) {
            return Err(garbage("it tells neither power nor energy".to_owned()));
        }
        Ok(figures)
    }

    fn energy(self) -> Option<f64> {
        self.joules.or(self.kilowatt_hours.map(|value| value * KWH_J))
    }
}

/// Asks all controllers at once.
pub(super) fn find(sources: &[RedfishSource], places: &Places) -> Vec<Finding> {
    std::thread::scope(|scope| {
        let open = |source: &RedfishSource| match RedfishMeter::open(source, places) {
            Ok(meter) => Some(Finding::Found(Box::new(meter))),
            Err(reason) => Some(Finding::absent("redfish", reason, HINT)),
        };
        let threads: Vec<_> = sources.iter().map(|source| scope.spawn(move || open(source))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

struct RedfishMeter {
    info: MeterInfo,
    source: RedfishSource,
    places: Places,
}

impl RedfishMeter {
    fn open(source: &RedfishSource, places: &Places) -> Result<Self, MeterError> {
        let (figures, _) = source.get(places)?;
        // Kilowatt-hours are too coarse for a run, and so the last choice.
        let kind = match figures {
            Figures { joules: None, watts: Some(_), .. } => MeterKind::InstantPower,
            _ => MeterKind::Counter,
        };
        let (accuracy, accuracy_source) =
            accuracy(source.accuracy.map(|error| (error, "stated where it was declared")));
        let info = MeterInfo {
            id: source.id.clone(),
            source: source.url.clone(),
            kind,
            scope: source.scope,
            serves: source.serves.clone(),
            resolution_j: None,
            wraps_at_j: None,
            stated_tick_s: None,
            interval_s: source.interval_s,
            accuracy,
            accuracy_source,
            privilege: source.user_variable.as_ref().map(|_| "an account of the management controller".to_owned()),
        };
        Ok(Self { info, source: source.clone(), places: places.clone() })
    }
}

impl Meter for RedfishMeter {
    fn info(&self) -> &MeterInfo {
        &self.info
    }

    fn read(&mut self) -> Result<Reading, MeterError> {
        let (figures, answer) = self.source.get(&self.places)?;
        let counts = self.info.kind == MeterKind::Counter;
        let joules = if counts { figures.energy() } else { None };
        if joules.is_none() && (counts || figures.watts.is_none()) {
            let problem = "it no longer tells what it told before".to_owned();
            return Err(MeterError::Garbage { what: self.info.source.clone(), problem });
        }
        let Timed { at_s, cost_s } = answer.timed;
        Ok(Reading { at_s, within_s: 0.5 * cost_s, cost_s, joules, watts: figures.watts, ..Reading::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_sensors_and_null_readings_are_none() {
        let body =
            r#"{"PowerWatts": {"Reading": 412.5}, "EnergyJoules": {"Reading": null}, "EnergykWh": {"Reading": 2}}"#;
        let figures = Figures::parse("it", body).unwrap();
        assert_eq!(figures, Figures { watts: Some(412.5), joules: None, kilowatt_hours: Some(2.0) });
        assert_eq!(figures.energy(), Some(7.2e6));
        for (body, problem) in [
            ("{}", "neither power nor energy"),
            (r#"{"PowerWatts": null}"#, "neither power nor energy"),
            (r#"{"PowerWatts": {"Reading": null}}"#, "neither power nor energy"),
            (r#"{"PowerWatts": {"Reading": "412,5"}}"#, "no number"),
            (r#"{"PowerWatts": {"Reading": 0}}"#, "0 W can't be"),
            (r#"{"EnergyJoules": {"Reading": -3}}"#, "-3 J can't be"),
            ("<html>", "no JSON"),
            ("", "no JSON"),
            ("[1]", "neither power nor energy"),
        ] {
            let error = Figures::parse("it", body).unwrap_err().to_string();
            assert!(error.contains(problem), "{body}: {error}");
        }
    }

    fn source(url: &str) -> RedfishSource {
        let text = format!("id = 'bmc'\nurl = '{url}'\nscope = 'module'\nserves = 'machine'");
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn addresses_hold_a_host_and_no_password() {
        assert_eq!(source("https://bmc.example/redfish/v1").check(), Ok(()));
        for url in ["ftp://bmc/x", "bmc/x", "https:///x", "https://root:secret@bmc/x"] {
            assert!(source(url).check().is_err(), "{url}");
        }
    }

    #[test]
    fn a_request_can_t_be_added_to() {
        let quoted = source("http://bmc/\"x").request().unwrap();
        assert!(quoted.contains(r#"url = "http://bmc/\"x""#), "{quoted}");
        let mut broken = source("http://bmc/x");
        broken.url.push('\n');
        assert!(broken.request().is_err());
    }
}
