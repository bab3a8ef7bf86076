//! The pipelines under `bench/ci/`: what their services ask of them, and that what they call exists.

use accelbench_tests::program::Program;
use yaml_rust2::{Yaml, YamlLoader};

fn pipeline(name: &str) -> Yaml {
    let path = format!("{}/../bench/ci/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut documents = YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert_eq!(documents.len(), 1, "{path}");
    documents.remove(0)
}

fn text(value: &Yaml) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:?}"))
}

/// Keys in the file's order; a mapping with others than these is refused by its service.
fn keys<'a>(value: &'a Yaml, allowed: &[&str]) -> Vec<&'a str> {
    let mapping = value.as_hash().unwrap_or_else(|| panic!("no mapping: {value:?}"));
    let keys: Vec<&str> = mapping.keys().map(text).collect();
    for key in &keys {
        assert!(allowed.contains(key), "`{key}` is none of {allowed:?}");
    }
    keys
}

/// The gate's arguments in a shell script.
fn gate(script: &str) -> Vec<String> {
    let words = script.replace("\\\n", " ");
    let line = words.lines().find(|line| line.contains("-- gate ")).expect("a gate");
    let arguments = line.split_once("-- gate ").unwrap().1.split("||").next().unwrap();
    arguments.split_whitespace().map(str::to_owned).collect()
}

/// The file that follows a flag.
fn file<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    arguments.iter().position(|word| word == flag).map(|at| arguments[at + 1].as_str())
}

#[test]
fn the_workflow_is_one() {
    let workflow = pipeline("github-actions.yml");
    keys(&workflow, &["name", "on", "permissions", "concurrency", "jobs"]);
    keys(&workflow["on"], &["pull_request", "workflow_dispatch"]);
    keys(&workflow["on"]["workflow_dispatch"]["inputs"]["base"], &["description", "default"]);
    keys(&workflow["concurrency"], &["group", "cancel-in-progress"]);
    assert_eq!(keys(&workflow["permissions"], &["contents"]), ["contents"]);
    assert_eq!(text(&workflow["permissions"]["contents"]), "read");
    let job = &workflow["jobs"]["gate"];
    keys(job, &["runs-on", "timeout-minutes", "env", "steps"]);
    assert!(job["runs-on"].as_vec().is_some_and(|labels| !labels.is_empty()));
    assert!(job["timeout-minutes"].as_i64().is_some());
    let steps = job["steps"].as_vec().unwrap();
    let mut scripts = Vec::new();
    for step in steps {
        let step_keys = keys(step, &["name", "uses", "with", "shell", "run", "if"]);
        assert!(step_keys.contains(&"uses") != step_keys.contains(&"run"), "{step:?}");
        if let Some(action) = step["uses"].as_str() {
            assert!(action.split_once('@').is_some_and(|(_, version)| !version.is_empty()), "{action}");
        }
        scripts.extend(step["run"].as_str());
    }
    let [script] = scripts.as_slice() else { panic!("one script: {scripts:?}") };
    // What a pull request's author names must not become code.
    assert!(!script.contains("${{"), "{script}");
    assert!(script.contains("$BASE") && !text(&job["env"]["BASE"]).is_empty());
    let arguments = gate(script);
    assert!(arguments.contains(&"--github".to_owned()));
    let folder = text(&steps.last().unwrap()["with"]["path"]);
    for flag in ["--output", "--junit"] {
        assert!(file(&arguments, flag).unwrap().starts_with(folder), "{flag}");
    }
}

#[test]
fn the_gitlab_job_is_one() {
    let pipeline = pipeline("gitlab-ci.yml");
    let job = &pipeline["kernel-gate"];
    keys(&pipeline, &["kernel-gate"]);
    let allowed = ["stage", "tags", "resource_group", "timeout", "interruptible", "rules", "variables", "script"];
    keys(job, &[&allowed[..], &["allow_failure", "artifacts"]].concat());
    for rule in job["rules"].as_vec().unwrap() {
        keys(rule, &["if"]);
    }
    // GitLab's variables are text.
    assert_eq!(text(&job["variables"]["GIT_DEPTH"]), "0");
    keys(&job["allow_failure"], &["exit_codes"]);
    assert_eq!(job["allow_failure"]["exit_codes"].as_i64(), Some(3));
    keys(&job["artifacts"], &["when", "expire_in", "paths", "reports"]);
    let script: Vec<&str> = job["script"].as_vec().unwrap().iter().map(text).collect();
    let arguments = gate(&script.join("\n"));
    let reports = &job["artifacts"]["reports"];
    keys(reports, &["junit", "metrics"]);
    assert_eq!(file(&arguments, "--junit"), reports["junit"].as_str());
    assert_eq!(file(&arguments, "--openmetrics"), reports["metrics"].as_str());
}

#[test]
fn the_flags_exist() {
    let help = Program::new(env!("CARGO_BIN_EXE_accelbench-builtin")).run(&["gate", "--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    let flags: Vec<&str> = help.stdout.split([' ', ',', '[', '\n']).filter(|word| word.starts_with("--")).collect();
    let github = gate(text(&pipeline("github-actions.yml")["jobs"]["gate"]["steps"][1]["run"]));
    let gitlab = gate(text(&pipeline("gitlab-ci.yml")["kernel-gate"]["script"][1]));
    let used: Vec<String> = github.into_iter().chain(gitlab).filter(|word| word.starts_with("--")).collect();
    assert!(!used.is_empty());
    for flag in used {
        assert!(flags.contains(&flag.as_str()), "{flag} is none of {flags:?}");
    }
}
