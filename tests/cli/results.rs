//! Runs that go well: what stands in their files, and how it is had again.

use super::{TWO_CASES, program};
use accelbench_reports::{CacheMode, PlanSource, RunFile, Status, check};

#[test]
fn all_on_a_machine_with_nothing_but_its_cpu() {
    let program = program();
    let ran = program.run(&["all", "--quick"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    // Without -o, a dated file in the working folder.
    let names: Vec<String> = std::fs::read_dir(program.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let [name] = &names[..] else { panic!("{names:?}") };
    let date = name.strip_prefix("accelbench-").and_then(|name| name.strip_suffix(".jsonl")).expect(name);
    assert!(date.len() == 15 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), "{name}");
    assert!(ran.stdout.contains(&format!("Results: {name}")), "{ran:?}");

    let file = program.file(name);
    assert_eq!(check::check(&file), Vec::<String>::new());
    for dtype in ["f64", "f32", "f16"] {
        let verified = file.results.iter().find(|row| row.dtype == dtype && row.status == Status::Ok);
        assert!(verified.is_some_and(|row| row.device == "host:0"), "{dtype}: {:?}", file.results);
    }
    let lacking = file.results.iter().find(|row| row.dtype == "f16-acc16").unwrap();
    assert_eq!(lacking.status, Status::Unsupported);
    // Types of matrix units are not asked for where there are none.
    assert!(
        file.results.iter().all(|row| !["tf32", "bf16", "f8e4m3", "i8"].contains(&row.dtype.as_str())),
        "{:?}",
        file.results
    );
    for backend in ["cuda", "opencl", "webgpu"] {
        let lines = format!(
            "{backend} is absent: ACCELBENCH_DISABLE names {backend}\n    to have it: take {backend} out of \
             ACCELBENCH_DISABLE\n"
        );
        assert!(ran.stdout.contains(&lines), "{ran:?}");
    }
    assert_eq!(program.run(&["check", name]).code, Some(0));
}

/// Runs the two cases with further options.
fn run(options: &[&str]) -> RunFile {
    let program = program();
    let ran = program.run(&[&TWO_CASES[..], &["-o", "run.jsonl"], options].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    program.file("run.jsonl")
}

fn errors(file: &RunFile) -> Vec<Option<f64>> {
    file.results.iter().map(|row| row.verify.as_ref().unwrap().max_error).collect()
}

#[test]
fn a_seed_makes_the_inputs() {
    let [one, again, other] = ["5", "5", "6"].map(|seed| run(&["--seed", seed]));
    assert_eq!(errors(&one), errors(&again));
    assert_ne!(errors(&one), errors(&other));
    assert_eq!((one.header.plan.seed, other.header.plan.seed), (5, 6));
}

#[test]
fn cold_caches_are_a_measurement_of_their_own() {
    let [warm, cold] = ["warm", "cold"].map(|cache| run(&["--cache", cache]));
    for (file, cache) in [(&warm, CacheMode::Warm), (&cold, CacheMode::Cold)] {
        assert_eq!(file.header.plan.cache, cache);
        assert!(file.results.iter().all(|row| row.timing.as_ref().unwrap().cache == cache));
    }
    // The caches are emptied before each run, so a sample is one run.
    assert!(cold.results.iter().all(|row| row.timing.as_ref().unwrap().batch == 1));
    assert!(warm.results.iter().all(|row| row.timing.as_ref().unwrap().batch > 1));
}

#[test]
fn zeros_are_a_measurement_of_their_own_and_called_so() {
    let program = program();
    let ran = program.run(&[&TWO_CASES[..], &["--fill", "zeros", "-o", "run.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in
        ["quick profile, at most 100 s a device, on inputs of zeros", "%, on zeros", "rates on inputs of zeros"]
    {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    let file = program.file("run.jsonl");
    assert_eq!(check::check(&file), Vec::<String>::new());
    assert_eq!(file.header.plan.fill.as_deref(), Some("zeros"));
    for row in &file.results {
        // Exactly: nothing but 0 comes of zeros. And ceilings are of random data.
        assert_eq!(row.verify.as_ref().unwrap().max_error, Some(0.0));
        assert_eq!((row.provenance.as_ref().unwrap().fill.as_str(), &row.ceiling), ("zeros", &None));
    }
    let mut mixed = file;
    mixed.results[1].provenance.as_mut().unwrap().fill = "normal(0,1)".to_owned();
    let problems = check::check(&mixed);
    assert!(
        problems.len() == 1 && problems[0].ends_with("its inputs do not hold what the header says"),
        "{problems:?}"
    );
    let random = run(&[]);
    assert_eq!(random.header.plan.fill.as_deref(), Some("normal(0,1)"));
    assert!(errors(&random).iter().all(|error| *error != Some(0.0)));
}

#[test]
fn a_row_s_command_gives_it_again() {
    for options in [
        &["--seed", "9"][..],
        &["--cache", "cold", "gemm:m=20,n=30,k=40,trans=tn"],
        &["--fill", "zeros", "gemm:m=20,n=30,k=40,trans=tn"],
    ] {
        for row in run(options).results {
            let command = &row.provenance.as_ref().unwrap().command;
            let words: Vec<&str> = command.split(' ').collect();
            let program = program();
            let ran = program.run(&[&words[1..], &["-o", "again.jsonl"]].concat());
            assert_eq!((words[0], ran.code), ("accelbench", Some(0)), "{command}: {ran:?}");
            let again = program.file("again.jsonl");
            assert_eq!(again.header.plan.cases, [row.case.as_str()], "{command}");
            let found = &again.results[0];
            assert_eq!(found.verify.as_ref().unwrap().max_error, row.verify.as_ref().unwrap().max_error, "{command}");
            assert_eq!(found.timing.as_ref().unwrap().cache, row.timing.as_ref().unwrap().cache, "{command}");
            let mut provenance = row.provenance.clone().unwrap();
            provenance.plan_source = Some(PlanSource::Command);
            assert_eq!(found.provenance, Some(provenance), "{command}");
        }
    }
}
