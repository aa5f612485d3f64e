"""Findings written as reports: text, JSON, SHACL, SARIF, HTML, JUnit."""
