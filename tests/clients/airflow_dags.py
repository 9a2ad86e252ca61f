"""A DAG for each case, of one task: Airflow's SparkKubernetesOperator as it is."""

import datetime
import json
import os

from airflow.providers.cncf.kubernetes.operators.spark_kubernetes import SparkKubernetesOperator
from airflow.sdk import DAG

with open(os.environ["APPLICATION"], encoding="utf-8") as file:
    application = json.load(file)

for case in ("ok", "fails", "crashes", "refused", "suspended"):
    with DAG(dag_id=case, schedule=None, start_date=datetime.datetime(2026, 1, 1), catchup=False) as dag:
        body = json.loads(json.dumps(application))
        body["spec"]["suspend"] = case == "suspended"
        SparkKubernetesOperator(
            task_id="run", name=case, namespace=case, template_spec=body, random_name_suffix=False, get_logs=False,
            delete_on_termination=False, retries=0,
        )
    globals()[case] = dag
