//! Serves the small Kubernetes API until Ctrl-C: `cargo run -p multinic-lab-kubernetes --example serve -- KUBECONFIG`
//! writes a kubeconfig to the given file.

use multinic_lab_kubernetes::KubernetesLab;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("expected the file for the kubeconfig")?;
    let lab = KubernetesLab::builder().start().await?;
    std::fs::write(path, lab.kubeconfig())?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
