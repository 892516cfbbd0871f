"""Prints the plain CloudFormation that SAM makes of a template: `translate_template.py TEMPLATE default|full`.

`full` gives the parameters below as defaults, so that a checker finds everything switched on.
"""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

FULL = {
    "AccessLogDays": 3,
    "AlarmEmail": "someone@shop.example",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/none",
    "CloudFront": "true",
    "CollectConcurrency": 50,
    "DomainName": "data.shop.example",
    "MonthlyBudget": 50,
    "OriginSecret": "0" * 32,
    "PreviousOriginSecret": "1" * 32,
    "RollupConcurrency": 20,
}


class NoManagedPolicies:
    """The names of AWS's own policies, which no role here has; SAM would ask IAM for them."""

    def load(self):
        return {}


def main() -> None:
    template = yaml_parse(Path(sys.argv[1]).read_text())
    if sys.argv[2] == "full":
        for name, value in FULL.items():
            template["Parameters"][name]["Default"] = value
    for resource in template["Resources"].values():
        # Code is uploaded before a template is translated.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    print(json.dumps(transform(template, {}, NoManagedPolicies()), indent=1))


if __name__ == "__main__":
    main()
