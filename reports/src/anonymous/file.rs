//! A result file without names, for everyone to download. It stays a result file, and keeps its promises as before.
//!
//! Labels are given out over all files of a site, so that one device has one label in all of them.

use super::{Cleaner, HOME, LEFT_OUT, Labels, SHORTEST_NAME, argument};
use crate::{Energy, RunFile, RunHeader};
use regex::Regex;
use serde_json::Value;

/// The names in some files, and what stands in their place.
pub(crate) struct Names(Cleaner);

impl Names {
    /// The names in these files' headers, which are labelled in their order. None where there are more than can be
    /// searched for.
    pub(crate) fn of<'a>(headers: impl Iterator<Item = &'a RunHeader>) -> Option<Self> {
        let home = Regex::new(HOME).ok()?;
        let mut labels = Labels::default();
        for header in headers {
            for device in &header.devices {
                labels.add("device", &device.name.as_str().into());
                labels.add("maker", &device.vendor.as_str().into());
                labels.add("driver", &device.driver.as_str().into());
                for id in device.physical_id.values().filter_map(Value::as_str) {
                    labels.add("chip", &id.into());
                }
            }
            labels.add("processor", &header.host.cpu.as_str().into());
            if let Some(hostname) = &header.host.hostname {
                labels.add("host", &hostname.as_str().into());
            }
            for text in header.argv.iter().chain(header.environment.values()) {
                for user in home.captures_iter(text).filter_map(|found| found.get(1)) {
                    if user.len() >= SHORTEST_NAME {
                        labels.add("user", &user.as_str().into());
                    }
                }
            }
        }
        Cleaner::new(labels).map(Self)
    }

    /// Leaves names out of a file, or puts labels in their place.
    pub(crate) fn leave_out(&self, file: &mut RunFile) {
        self.header(&mut file.header);
        for ceilings in &mut file.ceilings {
            ceilings.each_text(&mut |text| *text = self.0.cleaned(text));
            // The document that a figure is from names its maker.
            ceilings.theoretical.iter_mut().for_each(|figure| LEFT_OUT.clone_into(&mut figure.source));
        }
        for row in &mut file.results {
            let of_row = row.reason.iter_mut();
            let provenance = row.provenance.iter_mut().flat_map(|made| made.plan.iter_mut().chain([&mut made.command]));
            of_row.chain(provenance).for_each(|text| *text = self.0.cleaned(text));
            row.energy.iter_mut().for_each(|energy| self.energy(energy));
        }
    }

    fn header(&self, header: &mut RunHeader) {
        for word in &mut header.argv {
            *word = self.0.cleaned(argument(word).as_str());
        }
        let host = &mut header.host;
        self.name(&mut host.cpu);
        host.hostname.iter_mut().for_each(|name| self.name(name));
        // Behind the number stands the name of whoever built the kernel.
        if let Some(kernel) = &mut host.kernel {
            kernel.truncate(kernel.find('-').unwrap_or(kernel.len()));
        }
        header.environment.clear();
        for backend in &mut header.backends {
            backend.api_version = None;
            backend.notes.clear();
            for text in backend.detail.iter_mut().chain(&mut backend.hint) {
                *text = self.0.cleaned(text);
            }
        }
        for device in &mut header.devices {
            for name in [&mut device.name, &mut device.vendor, &mut device.driver] {
                self.name(name);
            }
            for (_, id) in &mut device.physical_id {
                if let Value::String(id) = id {
                    self.name(id);
                }
            }
            // What a driver says of itself, in words of its own.
            device.caps.remove("facts");
            // What a library says of itself names the processor that it is for.
            let external = device.caps.get_mut("external").and_then(Value::as_object_mut);
            external.into_iter().flatten().for_each(|(_, version)| *version = LEFT_OUT.into());
            for (_, value) in &mut device.caps {
                self.value(value);
            }
        }
    }

    fn energy(&self, energy: &mut Energy) {
        energy.each_text(&mut |text| *text = self.0.cleaned(text));
    }

    /// A capability: the sources of figures are left out, and other texts hold no names.
    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.0.cleaned(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "source" {
                        *value = LEFT_OUT.into();
                    } else {
                        self.value(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that is a name as a whole.
    fn name(&self, name: &mut String) {
        if let Some(label) = self.0.labels.of.get(name.as_str()) {
            *name = label.to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::fixture::{Fixture, of_every_sort};

    fn named() -> Fixture {
        let mut run = of_every_sort();
        run.header["host"]["hostname"] = "secret-host".into();
        run.header["host"]["cpu"] = "Secret CPU".into();
        run.header["host"]["kernel"] = "6.1.2-secret".into();
        run.header["argv"] =
            serde_json::json!(["/home/secretive/bin/accelbench", "all", "-o", "/srv/secret/run.jsonl"]);
        run.header["environment"] = serde_json::json!({ "CACHE": "/home/secretive/cache" });
        for device in run.header["devices"].as_array_mut().unwrap() {
            device["name"] = format!("Secret {}", device["id"]).into();
            device["vendor"] = "Secret Maker".into();
            device["driver"] = "Secret Driver 1.0".into();
            device["physical_id"] = serde_json::json!({ "pci": "0000:5e:00.0", "uuid": null });
            device["caps"]["facts"] = serde_json::json!({ "platform": "secret platform" });
            device["caps"]["external"] = serde_json::json!({ "lib": "Lib 1.0 for the Secret CPU" });
            device["caps"]["theoretical"] = serde_json::json!([{ "source": "Secret Handbook" }]);
        }
        for line in &mut run.lines {
            if line["type"] == "result" && line["status"] != "ok" {
                line["reason"] = "Secret Driver 1.0 has no memory in /home/secretive/x on secret-host".into();
            }
        }
        run
    }

    #[test]
    fn no_name_is_left_and_the_file_is_as_sound_as_before() {
        let mut file = named().read();
        let before = check::check(&file);
        let names = Names::of([&file.header].into_iter()).unwrap();
        names.leave_out(&mut file);
        let text = file.lines();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.to_lowercase().contains("secret"), "{text}");
        assert!(!text.contains("5e:00"), "{text}");
        assert!(text.contains("device A") && text.contains("driver A has no memory in x on host A"), "{text}");
        let again = RunFile::parse(std::path::Path::new("again.jsonl"), text.as_bytes()).unwrap();
        assert_eq!(check::check(&again), before);
        let names = Names::of([&again.header].into_iter()).unwrap();
        let mut twice = again.clone();
        names.leave_out(&mut twice);
        assert_eq!(twice, again, "a second time changes nothing");
    }
}
