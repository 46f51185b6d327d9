//! `multinic plan` against the same requests issued by curl, on the lab's simulator (`scripts/bench-plan.sh`).
//!
//! Both meet the same servers, which close after every answer where Debian's OpenStack does. One line per figure.

#![allow(clippy::print_stdout, reason = "the printed lines are the result")]

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use multinic_lab::{
    CloudBuilder, DEMO_ADMIN_PASSWORD, DEMO_ENCRYPTION_KEY, Lab, LoggedRequest, SEED_PROJECT, SEED_PROVIDER,
    SEED_SUBNET_ID, Service,
};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PORTS_PER_VM: usize = 4;
const VMS_PER_CONFIG: usize = 500;
const ROUNDS: usize = 7;
const PEAK_MEMORY: &str = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); \
                           print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

fn main() -> Outcome<()> {
    let vms: usize = std::env::args().nth(1).map_or(Ok(1000), |count| count.parse())?;
    let lab = Lab::start(CloudBuilder::sized(vms, PORTS_PER_VM))?;
    let folder = tempfile::tempdir()?;
    write_inputs(&lab, folder.path(), vms)?;
    let plan = median(|| run(&mut multinic(folder.path())?))?;
    lab.clear_requests();
    run(&mut multinic(folder.path())?)?;
    let requests = lab.requests();
    write_curl(&lab, folder.path(), &requests)?;
    let together = median(|| curl(folder.path(), "curl.conf"))?;
    let apart = median(|| {
        (0..requests.len())
            .map(|part| curl(folder.path(), &part_file(part)))
            .sum()
    })?;
    println!(
        "{vms} VMs x {PORTS_PER_VM} ports, {} configs, {} requests, median of {ROUNDS}",
        configs(vms),
        requests.len()
    );
    println!("multinic plan: {:.1} ms", millis(plan));
    for (what, took) in [
        ("one curl for each request", apart),
        ("one curl for all requests", together),
    ] {
        let ratio = plan.as_secs_f64() / took.as_secs_f64();
        println!("{what}, one after another: {:.1} ms, ratio {ratio:.2}", millis(took));
    }
    println!(
        "peak memory of multinic plan: {:.1} MiB",
        peak_mebibytes(folder.path())?
    );
    Ok(())
}

fn configs(vms: usize) -> usize {
    vms.div_ceil(VMS_PER_CONFIG)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut once: impl FnMut() -> Outcome<Duration>) -> Outcome<Duration> {
    let mut times = (0..ROUNDS).map(|_| once()).collect::<Outcome<Vec<_>>>()?;
    times.sort();
    times.get(ROUNDS / 2).copied().ok_or_else(|| "no rounds".into())
}

fn run(command: &mut Command) -> Outcome<Duration> {
    let began = Instant::now();
    let output = command.stdout(Stdio::null()).output()?;
    let took = began.elapsed();
    if output.status.success() {
        return Ok(took);
    }
    Err(format!(
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}

fn curl(folder: &Path, config: &str) -> Outcome<Duration> {
    run(Command::new("curl").args(["-K", config]).current_dir(folder))
}

fn part_file(part: usize) -> String {
    format!("curl-{part}.conf")
}

fn multinic(folder: &Path) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?.with_file_name("multinic"));
    command
        .args(["plan", "-o", "json", "-f", "cr.yaml", "--config", "settings.yaml"])
        .current_dir(folder);
    command.env("BENCH_KEY", DEMO_ENCRYPTION_KEY);
    Ok(command)
}

fn write_inputs(lab: &Lab, folder: &Path, vms: usize) -> Outcome<()> {
    let settings = json!({
        "contrabass": {"endpoint": lab.contrabass_url(), "password": {"key": {"env": "BENCH_KEY"}}},
        "openstack": {"requestsPerSecond": 1000},
    });
    fs::write(folder.join("settings.yaml"), settings.to_string())?;
    let names: Vec<String> = (1..=vms).map(CloudBuilder::sized_vm_name).collect();
    let mut documents = String::new();
    for (index, names) in names.chunks(VMS_PER_CONFIG).enumerate() {
        let config = json!({
            "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
            "metadata": {"name": format!("bench-{index}"), "namespace": "multinic-system"},
            "spec": {
                "subnetID": SEED_SUBNET_ID, "vmNames": names,
                "credentials": {"openstackProviderID": SEED_PROVIDER, "projectID": SEED_PROJECT},
            },
        });
        writeln!(documents, "---\n{config}")?;
    }
    Ok(fs::write(folder.join("cr.yaml"), documents)?)
}

/// A file for each request and one for all of them; the token is fetched beforehand, the login is made again for its
/// cost.
fn write_curl(lab: &Lab, folder: &Path, requests: &[LoggedRequest]) -> Outcome<()> {
    let login = requests
        .iter()
        .find(|request| request.method == "POST")
        .ok_or("plan did not log in")?;
    let body = login.body.replace("\"***\"", &json!(DEMO_ADMIN_PASSWORD).to_string());
    fs::write(folder.join("login.json"), body)?;
    let token = token(lab, folder)?;
    let parts: Vec<String> = requests.iter().map(|request| curl_part(lab, request, &token)).collect();
    for (index, part) in parts.iter().enumerate() {
        fs::write(folder.join(part_file(index)), part)?;
    }
    Ok(fs::write(folder.join("curl.conf"), parts.join("next\n"))?)
}

fn curl_part(lab: &Lab, request: &LoggedRequest, token: &str) -> String {
    let base = match request.service {
        Service::Contrabass | Service::ManagementApi => lab.contrabass_url(),
        Service::Keystone => lab.keystone_url().trim_end_matches("/v3").to_owned(),
        Service::Nova => lab.nova_url().trim_end_matches("/v2.1").to_owned(),
        Service::Neutron => lab.neutron_url(),
    };
    let mut part = format!(
        "silent\nfail\ngloboff\noutput = \"/dev/null\"\nurl = \"{base}{}\"\n",
        request.target
    );
    if request.method == "POST" {
        part.push_str("data = \"@login.json\"\nheader = \"Content-Type: application/json\"\n");
    } else if request.authenticated {
        let _ = writeln!(part, "header = \"X-Auth-Token: {token}\""); // writing to a String never fails
    }
    part
}

fn token(lab: &Lab, folder: &Path) -> Outcome<String> {
    let url = format!("{}/auth/tokens", lab.keystone_url());
    let args = [
        "-s",
        "-D",
        "-",
        "-o",
        "/dev/null",
        "-H",
        "Content-Type: application/json",
        "-d",
        "@login.json",
        &url,
    ];
    let output = Command::new("curl").args(args).current_dir(folder).output()?;
    let headers = String::from_utf8(output.stdout)?;
    let mut pairs = headers.lines().filter_map(|line| line.split_once(": "));
    let (_, token) = pairs
        .find(|(name, _)| name.eq_ignore_ascii_case("x-subject-token"))
        .ok_or("no token")?;
    Ok(token.trim().to_owned())
}

fn peak_mebibytes(folder: &Path) -> Outcome<f64> {
    let plan = multinic(folder)?;
    let mut python = Command::new("python3");
    python
        .args(["-c", PEAK_MEMORY])
        .arg(plan.get_program())
        .args(plan.get_args())
        .current_dir(folder);
    let output = python.env("BENCH_KEY", DEMO_ENCRYPTION_KEY).output()?;
    let kibibytes: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kibibytes / 1024.0)
}
