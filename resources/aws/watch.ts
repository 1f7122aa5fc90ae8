/** Alarms and a dashboard: what docs/fleet.md says to look at, as far as CloudWatch knows it. */
import { CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { Token } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { alarmActions, ENVIRONMENT, only, sub } from './intrinsics.ts';

/** Short enough to hear of it, long enough that one alarm tells of many failures of one cause. */
const PERIOD_SECONDS = 300;

const NAMESPACE = 'AWS/States';

interface Alarm {
  id: string;
  name: string;
  metric: string;
  /** How many within the period. */
  threshold: number;
  /** What it means, and what to do. */
  description: string;
}

export function addWatch(scope: Construct): void {
  const alarms: Alarm[] = [
    {
      id: 'FailedAlarm',
      name: 'failed-tasks',
      metric: 'ActivitiesFailed',
      threshold: Token.asNumber({ Ref: 'AlarmFailedTasks' }),
      description:
        'Tasks ended with an error. The executions show which: a BrowserAgent error names step and evidence.',
    },
    {
      id: 'TimedOutAlarm',
      name: 'timed-out-tasks',
      metric: 'ActivitiesTimedOut',
      threshold: 1,
      description:
        'Tasks took longer than TimeoutSeconds of their state: it is too short, or something hangs.',
    },
    {
      id: 'SilentAlarm',
      name: 'silent-agents',
      metric: 'ActivitiesHeartbeatTimedOut',
      threshold: 1,
      description: 'An agent sent no heartbeat for a task it had: its machine or its network is down.',
    },
  ];
  for (const { id, name, metric, threshold, description } of alarms) {
    const actions = Token.asList(alarmActions());
    const alarm = new CfnAlarm(scope, id, {
      alarmName: sub(`browser-agent-${ENVIRONMENT}-${name}`),
      alarmDescription: description,
      namespace: NAMESPACE,
      metricName: metric,
      dimensions: [{ name: 'ActivityArn', value: sub('${Activity}') }],
      statistic: 'Sum',
      period: PERIOD_SECONDS,
      evaluationPeriods: 1,
      threshold,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      // The metrics exist only when something happened.
      treatMissingData: 'notBreaching',
      alarmActions: actions,
      okActions: actions,
    });
    only('HasAlarms', alarm);
  }
  const dashboard = new CfnDashboard(scope, 'DashboardOfAgents', {
    dashboardName: sub(`browser-agent-${ENVIRONMENT}`),
    dashboardBody: sub(JSON.stringify({ widgets: widgets() })),
  });
  only('HasDashboard', dashboard);
}

function widgets(): object[] {
  const ofActivity = (name: string, options: object = {}) => [
    NAMESPACE,
    name,
    'ActivityArn',
    '${Activity}',
    options,
  ];
  const widget = (title: string, metrics: unknown[], options: object) => ({
    type: 'metric',
    width: 12,
    height: 6,
    properties: { title, region: '${AWS::Region}', metrics, period: PERIOD_SECONDS, ...options },
  });
  const ofBucket = (name: string, storage: string) => [
    'AWS/S3',
    name,
    'BucketName',
    '${Recordings}',
    'StorageType',
    storage,
  ];
  const daily = { period: 86_400, stat: 'Average' };
  return [
    widget(
      'Tasks: where fewer start than are scheduled, agents are missing',
      [
        ofActivity('ActivitiesScheduled'),
        ofActivity('ActivitiesStarted'),
        ofActivity('ActivitiesSucceeded'),
        ofActivity('ActivitiesFailed'),
        ofActivity('ActivitiesTimedOut'),
        ofActivity('ActivitiesHeartbeatTimedOut'),
      ],
      { stat: 'Sum' },
    ),
    widget(
      'Wait for an agent, and time at work (ms)',
      [
        ofActivity('ActivityScheduleTime', { label: 'wait, average' }),
        ofActivity('ActivityScheduleTime', { label: 'wait, longest', stat: 'Maximum' }),
        ofActivity('ActivityRunTime', { label: 'work, average' }),
        ofActivity('ActivityRunTime', { label: 'work, longest', stat: 'Maximum' }),
      ],
      { stat: 'Average' },
    ),
    widget('Recordings (bytes)', [ofBucket('BucketSizeBytes', 'StandardStorage')], daily),
    widget('Recordings (files)', [ofBucket('NumberOfObjects', 'AllStorageTypes')], daily),
  ];
}
