//! Mistakes: exit code 2, and one line that names the thing and what would be right.

use super::program;

/// Runs a command that is a mistake. It must leave nothing behind.
fn mistake(arguments: &[&str], words: &[&str]) {
    let program = program();
    program.run(arguments).is_user_error(words);
    assert_eq!(std::fs::read_dir(program.path(".")).unwrap().count(), 0, "{arguments:?} left a file");
}

#[test]
fn what_there_is_not() {
    for (arguments, words) in [
        (["--device", "nope"], ["no device `nope`", "there are host:0"]),
        (["--device", "host:7"], ["no device `host:7`", "there are host:0"]),
        (["--device", "cuda:0"], ["no device `cuda:0`", "accelbench doctor"]),
        (["--device", "host,nope"], ["no device `nope`", "there are host:0"]),
        (["--kernel", "conv"], ["unknown kernel `conv`", "known are gemm"]),
        (["--kernel", "gemm,conv"], ["unknown kernel `conv`", "known are gemm"]),
        (["--variant", "cublas"], ["no variant `cublas`", "there are packed"]),
        (["--variant", "packed,cublas"], ["no variant `cublas`", "there are packed"]),
        (["--plan", "tiled-1"], ["no plan `tiled-1`", "accelbench list --plans"]),
        (["--shape", "3x3x3"], ["no shape `3x3x3`", "accelbench list"]),
        (["--shape", "256x256x256,3x3x3"], ["no shape `3x3x3`", "accelbench list"]),
    ] {
        mistake(&["run", "--quick", arguments[0], arguments[1]], &words);
    }
}

#[test]
fn shapes_that_make_no_sense() {
    for (shape, words) in [
        ("gemm", ["`gemm` is no shape", "KERNEL:FIELD=VALUE"]),
        ("gemm:", ["no FIELD=VALUE", "gemm:m=M,n=N,k=K"]),
        ("gem:m=1,n=1,k=1", ["unknown kernel `gem`", "known are gemm"]),
        ("gemm:m=1,n=1", ["needs k=", "gemm:m=M,n=N,k=K"]),
        ("gemm:m=1,n=1,k=1,q=1", ["no field `q`", "gemm:m=M,n=N,k=K"]),
        ("gemm:m=1,m=2,n=1,k=1", ["m stands twice", "gemm:m=M,n=N,k=K"]),
        ("gemm:m=1,n=1,k=1,trans=xy", ["`xy` is none of nn, nt, tn, tt", "gemm:m=M,n=N,k=K"]),
        ("gemm:m=0,n=1,k=1", ["m is 0", "at least 1"]),
        ("gemm:m=-1,n=1,k=1", ["m of `-1`", "not a whole number"]),
        ("gemm:m=1.5,n=1,k=1", ["m of `1.5`", "not a whole number"]),
        ("gemm:m=2147483648,n=1,k=1", ["m of 2147483648", "the largest, 2147483647"]),
        ("gemm:m=99999999999999999999999,n=1,k=1", ["m of 99999999999999999999999", "the largest"]),
        ("gemm:m=2147483647,n=1,k=2147483647", ["gemm's A", "overflows 2^63 bytes"]),
        ("gemm:m=1000000,n=1000000,k=1000000", ["1000000x1000000x1000000 needs at least", "choose smaller sizes"]),
    ] {
        mistake(&["run", "--quick", shape], &words);
    }
}

#[test]
fn places_that_can_t_be_written_to() {
    let program = program();
    std::fs::write(program.path("there.jsonl"), "mine").unwrap();
    for (place, words) in [
        ("no/such/folder.jsonl", ["no/such/folder.jsonl: No such file", "-o"]),
        ("there.jsonl/below.jsonl", ["there.jsonl/below.jsonl: Not a directory", "-o"]),
        ("/proc/x.jsonl", ["/proc/x.jsonl: ", "-o"]),
        ("there.jsonl", ["there.jsonl is already there", "--resume"]),
        (".", [". is already there", "-o"]),
    ] {
        program.run(&["run", "gemm:m=8,n=8,k=8", "-t", "f32", "--quick", "-o", place]).is_user_error(&words);
    }
    assert_eq!(std::fs::read_to_string(program.path("there.jsonl")).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(program.path(".")).unwrap().count(), 1);
}

#[test]
fn an_error_is_one_line_whatever_it_names() {
    let program = program();
    program.run(&["check", "two\nlines\u{1b}[31m.jsonl"]).is_user_error(&[r"two\nlines\u{1b}[31m.jsonl: No such file"]);
}

/// The parser of the command line says these itself, on more than one line.
#[test]
fn words_that_are_no_command() {
    let program = program();
    for (arguments, words) in [
        (&["frob"][..], "'frob'"),
        (&["run", "--frob"], "'--frob'"),
        (&["run", "--dtype", "f99"], "known are f64, f32, tf32, bf16, f16, f16-acc16, f8e4m3, i8"),
        (&["run", "--cache", "hot"], "warm, cold"),
        (&["run", "--timeout", "0"], "a number of seconds above 0"),
        (&["run", "--timeout", "nan"], "a number of seconds above 0"),
        (&["run", "--seed", "x"], "'--seed <SEED>'"),
        (&["all", "--quick", "--full"], "cannot be used with"),
        (&["run", "--resume", "x", "--seed", "2"], "cannot be used with"),
        (&["check"], "<FILE>"),
        (&["completions", "tcsh"], "bash"),
    ] {
        let ran = program.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(words), "{words}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("panicked"), "{ran:?}");
    }
}
